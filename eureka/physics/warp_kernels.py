"""Kernels for the work on every world before and after its physics, for which torch would launch twenty each."""

import warp as wp


@wp.kernel  # type: ignore[untyped-decorator]
def find_diverged(
    qpos: wp.array2d[wp.float32],
    qvel: wp.array2d[wp.float32],
    warmstart: wp.array2d[wp.float32],
    overflow: wp.array[wp.int32],
    lost_types: wp.int32,
    largest: wp.float32,
    diverged: wp.array[wp.bool],
    lost: wp.array[wp.int64],
) -> None:
    """Mark the worlds whose numbers are not finite or too large, or that lacked memory; one thread each.

    `overflow` holds flags of the kinds of memory that a world lacked, and is cleared; `lost` counts the worlds with a
    flag among `lost_types`.
    """
    world = wp.tid()
    bad = bool(False)  # noqa: UP018, Warp changes only what is made by a call
    # Comparisons with NaN are false.
    for i in range(qpos.shape[1]):
        if not (wp.abs(qpos[world, i]) < largest):
            bad = True
    for i in range(qvel.shape[1]):
        if not (wp.abs(qvel[world, i]) < largest):
            bad = True
        if not (wp.abs(warmstart[world, i]) < largest):
            bad = True
    if (overflow[world] & lost_types) != 0:
        bad = True
        wp.atomic_add(lost, 0, wp.int64(1))
    overflow[world] = 0
    diverged[world] = bad


@wp.kernel  # type: ignore[untyped-decorator]
def put_worlds(
    mask: wp.array[wp.bool],
    new_qpos: wp.array2d[wp.float32],
    new_qvel: wp.array2d[wp.float32],
    qpos: wp.array2d[wp.float32],
    qvel: wp.array2d[wp.float32],
    ctrl: wp.array2d[wp.float32],
    act: wp.array2d[wp.float32],
    warmstart: wp.array2d[wp.float32],
    time: wp.array[wp.float32],
) -> None:
    """Put the worlds of `mask` into new states, a row each or one for all, with all else at rest.

    Launched with (number of worlds, the longest row).
    """
    world, i = wp.tid()  # type: ignore[misc, unused-ignore]
    if mask[world]:
        if i < qpos.shape[1]:
            qpos[world, i] = new_qpos[wp.min(world, new_qpos.shape[0] - 1), i]
        if i < qvel.shape[1]:
            qvel[world, i] = new_qvel[wp.min(world, new_qvel.shape[0] - 1), i]
            warmstart[world, i] = 0.0
        if i < ctrl.shape[1]:
            ctrl[world, i] = 0.0
        if i < act.shape[1]:
            act[world, i] = 0.0
        if i == 0:
            time[world] = 0.0
