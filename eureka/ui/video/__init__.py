"""Videos of policies, drawn without a screen in a process of their own."""

from eureka.ui.video.gl import find_gl, gl_report
from eureka.ui.video.gym_env import film_env
from eureka.ui.video.job import EpisodeShown, Look, Video, VideoJob
from eureka.ui.video.process import render_in_process

__all__ = ["EpisodeShown", "Look", "Video", "VideoJob", "film_env", "find_gl", "gl_report", "render_in_process"]
