"""`python -m eureka`."""

from eureka.cli import main

if __name__ == "__main__":
    main()
