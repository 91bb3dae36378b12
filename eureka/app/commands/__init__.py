"""The commands of the command line: one module each, which adds itself to `eureka.app.commands.common.app`.

Heavy imports are inside the commands, so that `eureka --help` is instant; they come after the keys have left the
environment, since some of them start programs of their own.
"""
