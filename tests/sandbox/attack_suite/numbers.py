"""System call numbers that the attacks make by hand: {name: (x86-64, aarch64)}."""

from __future__ import annotations

# fmt: off
NUMBERS = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "clone": (56, 220),
    "clone3": (435, 435), "copy_file_range": (326, 285), "delete_module": (176, 106), "epoll_create1": (291, 20),
    "eventfd2": (290, 19), "execveat": (322, 281), "fanotify_init": (300, 262), "fsopen": (430, 430),
    "init_module": (175, 105), "inotify_init1": (294, 26), "io_setup": (206, 0), "io_uring_setup": (425, 425),
    "kcmp": (312, 272), "kexec_load": (246, 104), "keyctl": (250, 219), "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "mlock": (149, 228), "mount": (165, 40), "mount_setattr": (442, 442),
    "move_mount": (429, 429), "mq_open": (240, 180), "msgget": (68, 186), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "openat2": (437, 437),
    "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "process_madvise": (440, 440),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60),
    "reboot": (169, 142), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138), "seccomp": (317, 277),
    "semget": (64, 190), "sethostname": (170, 161), "setns": (308, 268), "shmget": (29, 194),
    "signalfd4": (289, 74), "socket": (41, 198), "splice": (275, 76), "swapon": (167, 224), "syslog": (103, 116),
    "tgkill": (234, 131), "timer_create": (222, 107), "timerfd_create": (283, 85), "tkill": (200, 130),
    "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282),
}
# fmt: on
