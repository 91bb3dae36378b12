"""`python -m eureka.trainers.population FD`: a training worker."""

from eureka.trainers.population.worker import main

main()
