"""What a screen reader finds in the windows of a Desktop, through AT-SPI; positions within the window."""
import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

from tests.support.stand import wait_for  # noqa: E402


def find_program(pid):
    """The root of what the process shows."""
    def look():
        try:
            desktop = Atspi.get_desktop(0)
            for index in range(desktop.get_child_count()):
                program = desktop.get_child_at_index(index)
                if program is not None and program.get_process_id() == pid and program.get_child_count() > 0:
                    return program
        except GLib.Error:  # one that just went away
            pass
        return None
    return wait_for("the program in the accessibility tree", look)


def walk(root):
    yield root
    for index in range(root.get_child_count()):
        child = root.get_child_at_index(index)
        if child is not None:
            yield from walk(child)


def find(root, role, name=""):
    """The first of that role whose name holds `name`; None when there is none, or it just went."""
    try:
        return next((each for each in walk(root) if each.get_role_name() == role and name in each.get_name()),
                    None)
    except GLib.Error:
        return None


def texts(root):
    """All that is written, from top to bottom."""
    try:
        return [each.get_name() for each in walk(root) if each.get_role_name() == "label"]
    except GLib.Error:
        return []


def has_state(widget, state):
    try:
        return widget is not None and widget.get_state_set().contains(getattr(Atspi.StateType, state.upper()))
    except GLib.Error:
        return False


def find_focused(root):
    """What has the keyboard; None when nothing has, or it just went."""
    try:
        return next((each for each in walk(root) if has_state(each, "focused")), None)
    except GLib.Error:
        return None


def centre(widget):
    place = widget.get_extents(Atspi.CoordType.WINDOW)
    return place.x + place.width // 2, place.y + place.height // 2


def typed(widget):
    """How many characters are in a field, whatever can be read of them."""
    try:
        return Atspi.Text.get_character_count(widget.get_text_iface()) if widget is not None else 0
    except GLib.Error:
        return 0


def contents(widget):
    """What can be read of a field."""
    text = widget.get_text_iface()
    return Atspi.Text.get_text(text, 0, -1) if text is not None else ""
