"""The front camera of a generated drive: road, leader and weather, drawn with numpy and encoded as H.264 by PyAV.

Pictures are planes of YUV 4:2:0, so nothing has to be converted. As in video from vehicles, there are no B-frames,
which foxglove.CompressedVideo does not allow, and there is one keyframe per second, so that clips can be cut.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from fleet_api.demo.traffic import LANE_WIDTH_M, GroundTruth

WIDTH, HEIGHT = 320, 192
FRAMES_PER_S = 10
_HORIZON = 76
_FOCAL_PX = 260.0
_CAMERA_HEIGHT_M = 1.3
_SKY = {"dry": 190, "rain": 120, "snow": 205}
_ROAD = {"dry": 90, "rain": 62, "snow": 120}
_VERGE = {"dry": 110, "rain": 80, "snow": 225}
_X264 = {"preset": "ultrafast", "crf": "31", "bf": "0", "threads": "1", "sc_threshold": "0"}

Plane = NDArray[np.uint8]


def write_camera(truth: GroundTruth, path: Path, seed: int) -> None:
    """Encode the whole drive to an MP4; frame k shows the scene at k / FRAMES_PER_S seconds."""
    random = np.random.default_rng([seed, 99])
    painter = _Painter(truth.place.weather, random)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=_X264)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FRAMES_PER_S
        stream.codec_context.max_b_frames = 0
        for number, step in enumerate(_frame_steps(truth)):
            frame = av.VideoFrame.from_ndarray(painter.paint(truth, step), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frame_steps(truth: GroundTruth) -> NDArray[np.int64]:
    times = np.arange(0.0, float(truth.t[-1]), 1.0 / FRAMES_PER_S)
    return np.searchsorted(truth.t, times)


class _Painter:
    """Draws the frames, one after another, into the same three planes."""

    def __init__(self, weather: str, random: np.random.Generator) -> None:
        self._weather = weather
        self._random = random
        self._picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        rows = np.arange(_HORIZON + 2, HEIGHT, dtype=np.float32)
        self._depth_m = (_CAMERA_HEIGHT_M * _FOCAL_PX / (rows - _HORIZON))[:, None]
        columns = np.arange(WIDTH, dtype=np.float32)[None, :] - WIDTH / 2
        self._lateral_m = columns * self._depth_m / _FOCAL_PX
        self._line_half_m = np.maximum(0.08, 0.6 * self._depth_m / _FOCAL_PX)

    def paint(self, truth: GroundTruth, step: int) -> Plane:
        """The picture at one step of the ground truth, as the rows of Y, then U, then V."""
        luma = self._picture[:HEIGHT]
        self._picture[HEIGHT:] = 128
        luma[: _HORIZON + 2] = _SKY[self._weather]
        self._road(luma, float(truth["curvature"][step]), float(truth["distance"][step]))
        neighbour_m = float(truth["neighbour_gap"][step])
        self._car(float(truth["gap"][step]), 0.0, braking=truth["lead_braking"][step] > 0)
        if not math.isnan(neighbour_m):
            self._car(neighbour_m, float(truth["neighbour_offset"][step]), braking=False)
        self._weather_on(luma)
        return self._picture

    def _road(self, luma: Plane, curvature: float, travelled_m: float) -> None:
        lateral = self._lateral_m - 0.5 * curvature * self._depth_m**2
        beside = np.abs(lateral)
        ground = np.where(beside < 1.5 * LANE_WIDTH_M, _ROAD[self._weather], _VERGE[self._weather]).astype(np.uint8)
        dashes = (self._depth_m + travelled_m) % 12.0 < 4.0
        ground[(np.abs(beside - LANE_WIDTH_M / 2) < self._line_half_m) & dashes] = 235
        ground[np.abs(beside - 1.5 * LANE_WIDTH_M) < self._line_half_m] = 235
        luma[_HORIZON + 2 :] = ground

    def _car(self, distance_m: float, lateral_m: float, *, braking: bool) -> None:
        """Draw the rear of a car: body, window, and two lamps that shine red when it brakes."""
        scale = _FOCAL_PX / max(distance_m + 2.0, 3.0)
        centre, bottom = WIDTH / 2 + lateral_m * scale, _HORIZON + _CAMERA_HEIGHT_M * scale
        self._fill((centre - 0.9 * scale, bottom - 1.4 * scale, 1.8 * scale, 1.4 * scale), 45)
        self._fill((centre - 0.65 * scale, bottom - 1.3 * scale, 1.3 * scale, 0.45 * scale), 85)
        for side in (-0.85, 0.55):
            lamp = (centre + side * scale, bottom - 0.8 * scale, 0.3 * scale, 0.22 * scale)
            self._fill(lamp, 150 if braking else 60, red=235 if braking else 160)

    def _fill(self, box: tuple[float, float, float, float], luma: int, red: int | None = None) -> None:
        """Fill the part of a box (x, y, width, height; pixels) that is in the picture."""
        x, y, width, height = box
        rows = slice(max(0, round(y)), max(0, min(HEIGHT, round(y + height))))
        columns = slice(max(0, round(x)), max(0, min(WIDTH, round(x + width))))
        self._picture[rows, columns] = luma
        if red is not None:
            chroma = self._picture[HEIGHT + HEIGHT // 4 :].reshape(HEIGHT // 2, WIDTH // 2)
            chroma[rows.start // 2 : rows.stop // 2, columns.start // 2 : columns.stop // 2] = red

    def _weather_on(self, luma: Plane) -> None:
        if self._weather == "dry":
            return
        drops = self._random.integers((HEIGHT - 4, WIDTH), size=(70, 2))
        for down in range(4 if self._weather == "rain" else 1):
            luma[drops[:, 0] + down, drops[:, 1]] = 215
