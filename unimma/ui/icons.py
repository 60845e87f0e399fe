"""Line icons as inline SVG: one for each modality, and the few that buttons need. They take the text's colour."""

from markupsafe import Markup

from unimma.types import Modality

_FRAME = Markup(
    '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>'
)
_SHAPES = {
    Modality.TEXT: '<path d="M4 6h16M4 11h16M4 16h10"/>',
    Modality.IMAGE: '<rect x="3" y="4" width="18" height="16" rx="2.5"/><circle cx="8.5" cy="9.5" r="1.7"/>'
    '<path d="m4 18 5.5-5.5 3.5 3.5 3-3 5 5"/>',
    Modality.AUDIO: '<path d="M4 10v4M8 7v10M12 4v16M16 8v8M20 10.5v3"/>',
    Modality.VIDEO: '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m10.3 9.2 4.8 2.8-4.8 2.8z"/>',
    "back": '<path d="M19 12H5m6-6-6 6 6 6"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
    "forward": '<path d="M5 12h14m-6-6 6 6-6 6"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>',
    "close": '<path d="m7 7 10 10M17 7 7 17"/>',
    "down": '<path d="m7 10 5 5 5-5"/>',
    "download": '<path d="M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 20h14"/>',
    "delete": '<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10 11v5m4-5v5"/>',
    "quote": '<path d="M10 7H5v6h4c0 2-1 3.5-3 4m13-10h-5v6h4c0 2-1 3.5-3 4"/>',
    "list": '<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/>',
    "columns": '<path d="M5 5v14m4.7-14v14m4.6-14v14M19 5v14"/>',
    "file": '<path d="M20 11.5 12.5 19A4.6 4.6 0 0 1 6 12.5l8-8a3 3 0 0 1 4.3 4.3l-8 8'
    'a1.5 1.5 0 0 1-2.1-2.1l7.3-7.2"/>',
    "microphone": '<rect x="9" y="3.5" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>',
    "camera": '<path d="M4 8h3.5L9 5.5h6L16.5 8H20v11H4z"/><circle cx="12" cy="13" r="3.3"/>',
    "zoom": '<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6m0 6 7-7"/>',
}


def icon(name: str) -> Markup:
    """The icon of a modality or of a button (see `_SHAPES`); hidden from screen readers."""
    return _FRAME.format(Markup(_SHAPES[name]))


def logo() -> Markup:
    """The mark beside the name: four dots, one a modality, around one centre."""
    return Markup(
        '<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="4.2"/>'
        '<g class="logo-ring"><circle cx="16" cy="4.5" r="3"/><circle cx="27.5" cy="16" r="3"/>'
        '<circle cx="16" cy="27.5" r="3"/><circle cx="4.5" cy="16" r="3"/>'
        '<path d="M16 7.5v4M24.5 16h-4M16 24.5v-4M7.5 16h4"/></g></svg>'
    )
