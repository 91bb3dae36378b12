"""A stand-in for ManiSkill: what Eureka uses of it, under the names and with the behaviour that it documents."""
