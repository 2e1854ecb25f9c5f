# `look_around()` searches the frames of all callers.
def look_around():
    frame = sys._getframe(1)
    while frame:
        search("code of " + frame.f_code.co_name, frame.f_code.co_consts)
        search("names of " + frame.f_code.co_name, frame.f_code.co_names)
        for name, value in {**frame.f_locals}.items():
            if name not in ("backwards", "found", "frame"):
                try:
                    search(frame.f_code.co_name + " " + name, repr(value)[:100_000])
                except Exception:
                    pass
        frame = frame.f_back
