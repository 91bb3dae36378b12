"""Attacks on files: reading, writing, links, races, and what lies behind /proc."""

from __future__ import annotations

from attack_suite.attack import (
    ENVIRONMENT,
    LANDLOCK,
    LANDLOCK_TRUNCATE,
    PRIVILEGES,
    RLIMITS,
    SECCOMP,
    Attack,
    changed,
    done,
    told,
)

BOTH = (SECCOMP, LANDLOCK)
ONLY = (SECCOMP,)
"""Landlock knows no right for these: where seccomp is missing nothing runs at all."""

READING = [
    Attack("read a file", "result = open(secret).read()", told, BOTH),
    Attack("read a file by descriptor", "fd = os.open(secret, os.O_RDONLY)\nresult = os.read(fd, 99)", told, BOTH),
    Attack(
        "read a file by openat2",
        "fd = call('openat2', -100, secret.encode(), bytes(24), 24)\nresult = os.read(fd, 99)",
        told,
        BOTH,
    ),
    Attack(
        "read a file by the C library",
        "libc.fopen.restype = ctypes.c_void_p\n"
        "stream = libc.fopen(secret.encode(), b'r')\n"
        "if not stream: raise OSError(1, 'no stream')\n"
        "buffer = ctypes.create_string_buffer(99)\n"
        "libc.fgets(buffer, 99, ctypes.c_void_p(stream))\n"
        "result = buffer.value",
        told,
        BOTH,
    ),
    Attack(
        "read a file by mapping it",
        "import mmap\nwith open(secret, 'rb') as file:\n"
        "    result = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)[:]",
        told,
        BOTH,
    ),
    Attack("read a file by codecs", "import codecs\nresult = codecs.open(secret, 'r', 'utf-8').read()", told, BOTH),
    Attack("read a file as lines of source", "import linecache\nresult = linecache.getline(secret, 1)", told, BOTH),
    Attack(
        "read a file as a module",
        "import sys\nsys.path.insert(0, folder)\nimport planted\nresult = planted.SECRET",
        told,
        BOTH,
    ),
    Attack(
        "read a file as a program",
        "import runpy\nresult = runpy.run_path(folder + '/planted.py')['SECRET']",
        told,
        BOTH,
    ),
    Attack(
        "read a file by its handle",
        "handle = ctypes.create_string_buffer(bytes([128, 0, 0, 0]) + bytes(200))\n"
        "mount = ctypes.create_string_buffer(8)\n"
        "call('name_to_handle_at', -100, secret.encode(), handle, mount, 0)\n"
        "folder_fd = os.open(folder, os.O_RDONLY)\n"
        "result = os.read(call('open_by_handle_at', folder_fd, handle, 0), 99)",
        told,
        (SECCOMP, LANDLOCK, PRIVILEGES),
        root=True,
    ),
    Attack("list a folder", "result = os.listdir(folder)", done, BOTH),
    Attack("walk a folder", "import glob\nresult = glob.glob(folder + '/*')\nassert result", done, BOTH),
    Attack("look at a file's size", "result = os.stat(secret).st_size", done, ONLY),
    Attack("ask whether a file exists", "if not os.access(secret, os.F_OK): raise OSError(1, 'no')", done, ONLY),
    Attack("go to a folder and read", "os.chdir(folder)\nresult = open('secret').read()", told, BOTH),
    Attack("open a device", "result = os.open('/dev/zero', os.O_RDONLY)", done, BOTH),
    Attack("load a library", "ctypes.CDLL('libutil.so.1' if not libc else 'libresolv.so.2')", done, BOTH),
]

LINKS = [
    Attack("read through a link", "os.symlink(secret, folder + '/l')\nresult = open(folder + '/l').read()", told, BOTH),
    Attack("read through a link that was there", "result = open(folder + '/planted_link').read()", told, BOTH),
    Attack("see where a link leads", "result = os.readlink(folder + '/planted_link')", done, ONLY),
    Attack("make a link", "os.symlink(secret, folder + '/l')", changed, BOTH),
    Attack("make a hard link", "os.link(secret, folder + '/l')", changed, BOTH),
    Attack(
        "win a race of links",
        "import threading\n"
        "link, over = folder + '/l', folder + '/over'\n"
        "def swap():\n"
        "    for _ in range(50):\n"
        "        for to in ('/dev/null', secret):\n"
        "            os.symlink(to, over)\n"
        "            os.replace(over, link)\n"
        "thread = threading.Thread(target=swap)\n"
        "thread.start()\n"
        "result, last = '', OSError(1, 'never')\n"
        "for _ in range(200):\n"
        "    try: result += open(link).read()\n"
        "    except OSError as error: last = error\n"
        "thread.join()\n"
        "result += open(link).read()\n"
        "if not result: raise last",
        told,
        BOTH,
    ),
]

WRITING = [
    Attack("make a file", "open(folder + '/new', 'w')", changed, BOTH),
    Attack("append to a file", "open(secret, 'a').write('x')", changed, BOTH),
    Attack("truncate a file", "os.truncate(secret, 0)", changed, (SECCOMP, LANDLOCK_TRUNCATE)),
    Attack("delete a file", "os.unlink(secret)", changed, BOTH),
    Attack("rename a file", "os.rename(secret, folder + '/other')", changed, BOTH),
    Attack(
        "swap one file for another",
        "import pathlib, shutil\nshutil.copy(folder + '/planted.py', folder + '/copy')\n"
        "os.replace(folder + '/copy', secret)",
        changed,
        BOTH,
    ),
    Attack("make a folder", "os.mkdir(folder + '/sub')", changed, BOTH),
    Attack("delete a folder", "os.rmdir(folder + '/empty')", changed, BOTH),
    Attack("make a named pipe", "os.mkfifo(folder + '/pipe')", changed, BOTH),
    Attack("make a socket's file", "os.mknod(folder + '/s', 0o140600)", changed, BOTH),
    Attack("change a file's mode", "os.chmod(secret, 0o700)", changed, ONLY),
    Attack("change a file's owner", "os.chown(secret, 1, 1)", changed, (SECCOMP, PRIVILEGES), root=True),
    Attack("change a file's times", "os.utime(secret, (1, 1))", changed, ONLY),
    Attack("make a temporary file", "import tempfile\ntempfile.mkstemp(dir=folder)", changed, BOTH),
    Attack(
        "keep a nameless file",
        "fd = os.open(folder, os.O_TMPFILE | os.O_RDWR)\nos.write(fd, b'x')",
        done,
        (SECCOMP, LANDLOCK, RLIMITS),
    ),
    Attack(
        "write to shared memory's folder",
        "path = f'/dev/shm/attack-{os.getpid()}'\nos.close(os.open(path, os.O_CREAT | os.O_RDWR))\nos.unlink(path)",
        done,
        BOTH,
    ),
    Attack("write a log", "import logging\nlogging.FileHandler(folder + '/log').close()", changed, BOTH),
    Attack("save a tensor", "import torch\ntorch.save(torch.ones(3), folder + '/t.pt')", changed, BOTH, torch=True),
    Attack(
        "map a file as a tensor",
        "import torch\nresult = bytes(torch.from_file(secret, size=37, dtype=torch.uint8).tolist())",
        told,
        BOTH,
        torch=True,
    ),
    Attack(
        "read a file as numbers",
        "import numpy\nresult = numpy.fromfile(secret, 'u1').tobytes()",
        told,
        BOTH,
        torch=True,
    ),
]

DISK = [
    Attack(
        "fill the disk",
        "with open(folder + '/fill', 'wb') as file: file.write(bytes(64 << 20))",
        changed,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "fill the disk by reserving it",
        "fd = os.open(folder + '/fill', os.O_CREAT | os.O_RDWR)\nos.posix_fallocate(fd, 0, 64 << 20)",
        changed,
        BOTH,
    ),
    Attack(
        "fill memory by a file in it",
        "fd = call('memfd_create', b'x', 0)\nos.write(fd, bytes(1 << 20))",
        done,
        (SECCOMP, RLIMITS),
    ),
]

PROC = [
    Attack("read a process's environment", "result = open(f'/proc/{victim}/environ', 'rb').read()", told, BOTH),
    Attack(
        "read the zygote's environment",
        "result = open(f'/proc/{os.getppid()}/environ', 'rb').read()",
        told,
        (SECCOMP, LANDLOCK, ENVIRONMENT),
    ),
    Attack(
        "read one's own first environment",
        "result = open('/proc/self/environ', 'rb').read()",
        told,
        (SECCOMP, LANDLOCK, ENVIRONMENT),
    ),
    Attack("read a command line", "result = open(f'/proc/{host}/cmdline').read()", done, BOTH),
    Attack("list the processes", "result = [p for p in os.listdir('/proc') if p.isdigit()]", done, BOTH),
    Attack("list another's descriptors", "result = os.listdir(f'/proc/{victim}/fd')", done, BOTH),
    Attack("open another's memory", "result = open(f'/proc/{victim}/mem', 'rb')", done, BOTH, root=True),
    Attack("open one's own memory", "result = open('/proc/self/mem', 'r+b')", done, BOTH),
    Attack("map one's memory", "result = open('/proc/self/maps').read()", done, BOTH),
    Attack("open one's descriptors again", "result = os.open('/proc/self/fd/1', os.O_WRONLY)", done, BOTH),
    Attack(
        "read by way of another's root", "result = open(f'/proc/{victim}/root' + secret).read()", told, BOTH, root=True
    ),
    Attack("change the kernel's settings", "result = open('/proc/sys/kernel/hostname', 'r+')", done, BOTH, root=True),
    Attack(
        "spare oneself when memory runs out", "open('/proc/self/oom_score_adj', 'w').write('0')", done, BOTH, root=True
    ),
    Attack("look into the kernel's objects", "result = os.listdir('/sys/kernel')", done, BOTH),
]

FAMILIES = {"files, reading": READING, "links": LINKS, "files, writing": WRITING, "disk": DISK, "/proc": PROC}
