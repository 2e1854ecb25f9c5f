"""What a student does at the desk besides answering: making the PDF that is handed in."""
