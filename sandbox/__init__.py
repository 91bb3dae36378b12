from eureka.sandbox.host import Sandbox, inspect_layers
from eureka.sandbox.results import Failed, Finished, LayerReport, Limits

__all__ = ["Failed", "Finished", "LayerReport", "Limits", "Sandbox", "inspect_layers"]
