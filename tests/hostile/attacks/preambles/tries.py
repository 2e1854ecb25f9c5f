# Prints "WORKED name" or "refused name why" for everything that is tried.
import os
def attempt(name, function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        print(f"refused {name} {type(error).__name__} {error}")
    else:
        print(f"WORKED {name}")
        return result
