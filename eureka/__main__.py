"""`python -m eureka`."""

from eureka.app.cli import main

if __name__ == "__main__":
    main()
