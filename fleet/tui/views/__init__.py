"""What each part of a screen says, as lines: functions of values that know nothing of Textual."""
