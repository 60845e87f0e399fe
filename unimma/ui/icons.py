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
    "zoom": '<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6m0 6 7-7"/>',
}


def icon(name: str) -> Markup:
    """The icon of a modality, or one of "back", "search", "zoom"; hidden from screen readers."""
    return _FRAME.format(Markup(_SHAPES[name]))


def logo() -> Markup:
    """The mark beside the name: four dots, one a modality, around one centre."""
    return Markup(
        '<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="4.2"/>'
        '<g class="logo-ring"><circle cx="16" cy="4.5" r="3"/><circle cx="27.5" cy="16" r="3"/>'
        '<circle cx="16" cy="27.5" r="3"/><circle cx="4.5" cy="16" r="3"/>'
        '<path d="M16 7.5v4M24.500 16h-4M16 24.500v-4M7.500 16h4"/></g></svg>'
    )
