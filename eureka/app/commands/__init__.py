"""The commands of the command line: one module each, which adds itself to `eureka.app.commands.common.app`.

Heavy imports are inside the commands, so that `eureka --help` is instant. The keys of providers have left the
environment before a command begins, and are its `context.obj`.
"""
