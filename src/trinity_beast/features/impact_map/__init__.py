"""The map of what the donations did: places with pictures and a few words.

Only active pins are shown.

Owns: map_pins.   Source: data dictionary 7.2.
"""
