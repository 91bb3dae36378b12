"""A stand-in for Isaac Lab: the names that Eureka and the packages that it writes use of it."""
