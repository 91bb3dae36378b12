"""The standalone reward module: readable torch code that is emitted from a verified reward graph."""

from eureka.reward.export.module import export_reward, module_parts

__all__ = ["export_reward", "module_parts"]
