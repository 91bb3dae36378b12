"""Reads robots from URDF files as MuJoCo models, adding what MuJoCo's own reader lacks."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import mujoco

from eureka.core.errors import TaskError

_NOT_READ = ("gazebo", "transmission")


def read_urdf(path: Path) -> mujoco.MjSpec:
    """The robot of a URDF file with its collision shapes; its meshes are found in its folder by their `package://`
    names.

    Links without inertia get hardly any, as URDF means it: MuJoCo would give them that of their shapes.

    Raises:
        TaskError: not XML, or a mesh that is not there.
        ValueError: MuJoCo cannot read the robot.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise TaskError(f"{path}: not valid XML: {error}") from error
    for tag in _NOT_READ:
        for element in root.findall(tag):
            root.remove(element)
    for link in root.findall("link"):
        for visual in link.findall("visual"):
            link.remove(visual)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(_mesh(path, mesh.get("filename", ""))))
    compiler = ElementTree.SubElement(ElementTree.SubElement(root, "mujoco"), "compiler")
    for name, value in {
        "strippath": "false",
        "balanceinertia": "true",
        "fusestatic": "false",
        "boundmass": "1e-4",
        "boundinertia": "1e-7",
    }.items():
        compiler.set(name, value)
    spec = mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"))
    spec.compiler.discardvisual = False  # otherwise shapes that a task excludes from collisions would be removed
    for geom in spec.geoms:
        geom.density, geom.group = 0.0, 0  # MuJoCo does not draw collision shapes
    return spec


def _mesh(path: Path, name: str) -> Path:
    """The file that `package://PACKAGE/FILE` means: FILE in the nearest folder above the URDF that has it."""
    _, separator, file = name.rpartition("://")
    file = file.partition("/")[2] if separator else file
    for folder in path.parents:
        if (folder / file).is_file():
            return folder / file
    raise TaskError(f"{path}: the mesh {name} is not there")
