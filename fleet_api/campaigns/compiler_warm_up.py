"""What every compilation would have to do first, done once: importing this compiles a small text.

The fork server of `fleet_api.campaigns.compilation` imports it before it forks its first child.
"""

from __future__ import annotations

from fleet_api.campaigns.compilation import Text, compile_campaign

_SIGNALS = """
signals:
  ego.speed: {unit: m/s, rate: 50}
  ego.accel: {unit: m/s^2, rate: 50}
  active.stop: {type: bool, rate: 50}
  shadow.stop: {type: bool, rate: 50}
vehicle:
  region: text
"""
_SOURCE = """
trigger warm_up {
    when min(ego.accel over 1 s) < -4 m/s^2 for 200 ms or disagree(stop)
    cooldown 5 s
    capture 2 s before, 2 s after { signals ego.* }
}

campaign warm_up {
    collect warm_up
    target vehicle.region in ("EU")
    budget 1 GB total
}
"""

compile_campaign(Text(_SOURCE, "warm-up.trigger", _SIGNALS, None))
