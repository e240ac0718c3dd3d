"""Clips and masks on disk: video files and folders of numbered frames, as they are shown by a player.

PyAV decodes, for counting and for reading alike; the ffmpeg binary that imageio-ffmpeg ships encodes. Everything
written is whole or absent. Imports only `void.errors`, `void.files` and `void.quadmask`.
"""

from void.video.frame_folders import IMAGE_SUFFIXES, is_frame_folder
from void.video.info import VideoInfo, largest_shift
from void.video.masks import read_mask, write_mask
from void.video.reading import iter_video, probe, read_video
from void.video.writing import encode_mp4, write_frames, write_video
from void.video_formats import DEFAULT_CRF, VideoFormat, check_writable

__all__ = [
    "DEFAULT_CRF",
    "IMAGE_SUFFIXES",
    "VideoFormat",
    "VideoInfo",
    "check_writable",
    "encode_mp4",
    "is_frame_folder",
    "iter_video",
    "largest_shift",
    "probe",
    "read_mask",
    "read_video",
    "write_frames",
    "write_mask",
    "write_video",
]
