# `call_back(attack)` answers every question of a test until it calls `apply`. Then `attack` speaks.
def call_back(attack):
    asked = []
    def answer(question):
        if question[1] == "call" and "apply" in asked:
            attack()
        else:
            asked.extend(question[2] if question[1] == "get" else [])
            frame(value())
    take_over(lambda: serve(answer))
