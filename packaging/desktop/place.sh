# Part of packaging/demo.sh: where the person sits who runs it. Sets `place`, lines for signet.toml,
# and `prompter`, the program that asks there.
if [ -n "${WAYLAND_DISPLAY:-}" ]; then
  place="display = \"$WAYLAND_DISPLAY\"" prompter=signet-prompter
elif [ -n "${DISPLAY:-}" ]; then
  place="display = \"$DISPLAY\"" prompter=signet-prompter
  [ -z "${XAUTHORITY:-}" ] || place+=$'\n'"xauthority = \"$XAUTHORITY\""
elif place=$(tty); then
  place="tty = \"$place\"" prompter=signet-prompter-tty
else
  cat >&2 <<'TEXT'
demo.sh: --desktop asks a person, and there is neither a display ($DISPLAY or $WAYLAND_DISPLAY is not
set) nor a terminal here. Run it in a terminal of your desktop; or, without a desktop, in any terminal
(over ssh: ssh -t), where pinentry asks.
TEXT
  exit 1
fi
