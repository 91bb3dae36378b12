"""The commands of the command line: one module each, which adds itself to `eureka.app.commands.common.app`.

Heavy imports are inside the commands, so that `eureka --help` is fast. Providers' keys are removed from the environment
before a command begins, and passed to it as `context.obj`.
"""
