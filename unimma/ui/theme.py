"""How the app looks: one accent colour on warm greys, one type scale, the same in light and dark."""

from importlib.resources import files

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

_GREY = colors.Color(
    name="grey",
    c50="#fafaf8",
    c100="#f4f4f1",
    c200="#e7e7e2",
    c300="#d5d5ce",
    c400="#a5a59d",
    c500="#76766e",
    c600="#595952",
    c700="#3d3d38",
    c800="#272724",
    c900="#1b1b19",
    c950="#121211",
)


def theme() -> gr.themes.Base:
    """Gradio's base theme in our colours, with fonts that Gradio itself serves, so that nothing is fetched."""
    base = gr.themes.Base(
        primary_hue=colors.teal,
        secondary_hue=colors.teal,
        neutral_hue=_GREY,
        radius_size=sizes.radius_lg,
        text_size=sizes.text_md,
        # not 600: the semi-bold files that Gradio 6.31 ships hold hardly any letters
        font=(fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_800",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        color_accent="*primary_700",
        color_accent_soft="*primary_50",
        color_accent_soft_dark="#14302d",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_400",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
        block_title_text_weight="600",
        block_shadow="none",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_shadow_focus="0 0 0 3px *primary_100",
        input_shadow_focus_dark="0 0 0 3px #14403b",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="white",
        button_primary_text_color_dark="*neutral_950",
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color_selected="*primary_700",
        checkbox_border_color_selected_dark="*primary_500",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="#14302d",
        checkbox_label_border_color="*neutral_300",
        checkbox_label_border_color_dark="*neutral_700",
        checkbox_label_text_color_selected="*neutral_900",
        checkbox_label_text_color_selected_dark="*neutral_100",
        slider_color="*primary_700",
        slider_color_dark="*primary_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )


def head() -> str:
    """What goes into the head of the page: all style sheets and scripts beside this module, those of the page first."""
    there = sorted(
        files("unimma.ui").iterdir(), key=lambda file: (file.name not in ("style.css", "page.js"), file.name)
    )
    style, script = (
        "\n".join(file.read_text(encoding="utf-8") for file in there if file.name.endswith(suffix))
        for suffix in (".css", ".js")
    )
    return f'<meta name="color-scheme" content="light dark"><style>{style}</style><script>{script}</script>'
