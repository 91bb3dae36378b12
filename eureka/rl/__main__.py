"""`python -m eureka.rl FD`: a training worker."""

from eureka.rl.worker import main

main()
