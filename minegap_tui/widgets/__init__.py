"""The app's widgets; every text they draw goes through ``minegap_tui.sanitise``."""
