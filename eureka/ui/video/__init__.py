"""Videos of policies, rendered without a screen in a separate process."""

from eureka.core.pictures import Look
from eureka.ui.video.film import FilmedEpisode, FilmJob, Video
from eureka.ui.video.gl import find_gl, gl_report
from eureka.ui.video.gym_env import film_env

__all__ = ["FilmJob", "FilmedEpisode", "Look", "Video", "film_env", "find_gl", "gl_report"]
