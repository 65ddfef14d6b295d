// How the window looks, over whatever theme a person has: colours only where they mean something,
// each readable on a light and on a dark ground.
#ifndef SIGNET_AGENT_PROMPTER_STYLE_H_
#define SIGNET_AGENT_PROMPTER_STYLE_H_

namespace signet::prompter {

inline constexpr char kStyle[] = R"css(
.content { padding: 22px 26px 20px 26px; }
.question { font-size: 110%; opacity: 0.75; }
.origin { font-size: 165%; font-weight: 800; }
.origin.long { font-size: 110%; font-weight: 700; }
.heading { font-weight: 700; }
.fact-name { opacity: 0.65; }
.small { font-size: 92%; }
.quiet { opacity: 0.7; }

.card {
  border: 1px solid alpha(currentColor, 0.16);
  border-radius: 10px;
  background-color: alpha(currentColor, 0.03);
}
.choice { padding: 12px 14px; }
.choice.chosen { background-color: alpha(@theme_selected_bg_color, 0.14); }
.choice:not(:last-child) { border-bottom: 1px solid alpha(currentColor, 0.12); }
.subject { font-weight: 700; }

.notice { border-radius: 8px; padding: 8px 12px; }
.notice.claim { background-color: alpha(#e5a50a, 0.22); }
.notice.trusted { background-color: alpha(#2ec27e, 0.20); }
.notice.news { background-color: alpha(@theme_selected_bg_color, 0.16); }
.notice.refusal { background-color: alpha(#e01b24, 0.18); font-weight: 600; }
.notice.last { background-color: alpha(#e01b24, 0.14); }
.why-not { color: mix(@theme_fg_color, #e01b24, 0.75); font-weight: 600; }

.summary { border-radius: 6px; }
.summary:focus-visible { outline: 2px solid alpha(@theme_selected_bg_color, 0.6); outline-offset: 4px; }
.time progress, .time trough { min-height: 4px; }
.buttons button { min-width: 104px; min-height: 30px; }
)css";

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_STYLE_H_
