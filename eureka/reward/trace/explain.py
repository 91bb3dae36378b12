"""Describes the failure of a candidate so that a model can repair it: the line, the problem, the remedy."""

from __future__ import annotations

import linecache
import re
from types import TracebackType

from eureka.core.missing import did_you_mean, near_attributes

_NOT_ONE = r"only one element tensors can be converted|only integer tensors of a single element"
#: The name under which a candidate's source is compiled.
FILENAME = "<reward>"


class TraceFailure(BaseException):
    """The candidate's code cannot be a reward.

    Derived from BaseException so that a candidate's own `except Exception` does not swallow it.
    """

    def __init__(self, message: str, remedy: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.line = line


# : Error messages of Python and torch with a remedy; the first pattern that matches the error's text is used.
RULES: tuple[tuple[str, str], ...] = (
    (
        r"Boolean value of Tensor with more than one value|ambiguous",
        "All environments are computed at once: use torch.where(condition, a, b), torch.minimum and torch.maximum "
        "instead of if, and, or, min and max.",
    ),
    (
        r"only one element tensors can be converted|only length-1 arrays|must be real number, not Tensor",
        "Use the torch function (torch.exp, torch.sqrt, ...) instead of math on tensors.",
    ),
    (r"name 'torch' is not defined", "Add `import torch` at the top."),
    (r"^NameError", "Define it in the code, or name it as a parameter if it is a field of the state."),
    (
        r"^(ModuleNotFoundError|ImportError|PermissionError|FileNotFoundError|OSError)",
        "Only torch, math and typing can be imported; no files can be read.",
    ),
    (r"CUDA|cuda|NVIDIA|HIP|MPS", "Name no device: use the `.device` of an input."),
    (r"can't allocate memory|not enough memory|^MemoryError|Storage size|too large", "Make the tensor smaller."),
    (
        r"on a bool tensor|with two bool tensors|with a bool tensor|not implemented for 'Bool'",
        "Convert the mask first: mask.float().",
    ),
    (
        r"can't be cast to the desired output type|Expected a floating point|could not infer output dtype"
        r"|not implemented for '(Int|Long)'|must be floating|floating point (or|and) complex",
        "Convert to floating point first: x.float().",
    ),
    (
        r"expected (scalar type|m1 and m2|.*same dtype)|to have the same dtype",
        "Give both the same type, for example with x.float().",
    ),
    (
        r"must match the size|must match the existing size|shape mismatch|mat1 and mat2|is invalid for input of size"
        r"|Sizes of tensors must match|stack expects each tensor",
        "Check the shapes in the state table: the first dimension of every field is num_envs; sum or index the other "
        "dimensions (dim=-1) before combining, or use unsqueeze(-1).",
    ),
    (
        r"Dimension out of range|too many indices|out of bounds|out of range for dimension",
        "Check the shapes in the state table: the first dimension of every field is num_envs.",
    ),
    (r"single memory location", "Use .clone() before writing in place."),
    (r"has no attribute|unexpected keyword|got an unexpected|invalid combination", "Check torch's documentation."),
    (r"^RecursionError", "Remove the recursion."),
    (r"require grad", "A reward is computed without gradients: write the derivative out."),
)


def explain(error: BaseException) -> TraceFailure:
    """A failure with the message of Python or torch, at the candidate's own line."""
    if isinstance(error, TraceFailure):
        error.line = error.line or user_line(error.__traceback__)
        return error
    line = error.lineno if isinstance(error, SyntaxError) else user_line(error.__traceback__)
    said = error.msg if isinstance(error, SyntaxError) else next(iter(str(error).splitlines()), "")
    message = f"{type(error).__name__}: {said:.400}".rstrip(".") if said else type(error).__name__
    remedy = next((remedy for pattern, remedy in RULES if re.search(pattern, message)), "")
    message += did_you_mean(near_attributes(error))
    if re.search(_NOT_ONE, message) and re.search(
        r"\btorch\.(as_)?tensor\(|\b\w*Tensor\(\[", _code(error.__traceback__)
    ):
        remedy = (
            "torch.tensor takes numbers: make columns of tensors by torch.stack([a, b], dim=-1), and one tensor of "
            "several by torch.cat."
        )
    return TraceFailure(message, remedy, line)


def _code(traceback: TracebackType | None) -> str:
    """The candidate's code at the innermost line of a traceback, from the start of its statement."""
    found = ""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILENAME:
            positions = list(traceback.tb_frame.f_code.co_positions())
            first, last, _, _ = positions[traceback.tb_lasti // 2]
            first, last = first or traceback.tb_lineno, last or traceback.tb_lineno
            found = "".join(linecache.getline(FILENAME, line) for line in range(first, last + 1))
        traceback = traceback.tb_next
    return found


def user_line(traceback: TracebackType | None) -> int | None:
    """The innermost line of the candidate's code in a traceback."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILENAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
