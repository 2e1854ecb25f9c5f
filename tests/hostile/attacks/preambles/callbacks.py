# `call_back(attack)` answers every question of a test until it calls `apply`. Then `attack` speaks.
def call_back(attack):
    asked = []
    def answer(question):
        if question[1] == "call" and "apply" in asked:
            attack()
        else:
            asked.append(question[2])
            frame(value())
    take_over(lambda: serve(answer))
