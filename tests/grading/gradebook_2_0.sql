-- A gradebook of version 2.0, as it was before marks, rubrics and history had tables hw_grading_*.
-- It was made at commit 24c7c537, in tests/grading, by the program in the lines that begin with --:
--     sed -n 's/^--: \{0,1\}//p' gradebook_2_0.sql > make.py
--     PYTHONPATH=. python make.py gradebook_2_0.json
--: """Print a gradebook of version 2.0.0 as SQL, and write what that version said about it."""
--: import json
--: import sqlite3
--: import sys
--: import tempfile
--: from dataclasses import asdict, replace
--: from datetime import datetime
--: from pathlib import Path
--:
--: from by_hand import ASSIGNMENT, grade_again, grade_elsewhere, make_course
--: from nbgrader.api import Gradebook
--:
--: from hw_grading.gradebook.book import GradeBook
--: from hw_grading.gradebook.corrections import Kind, correct, corrections_in, undo
--: from hw_grading.gradebook.database import Database
--: from hw_grading.gradebook.digest import remember
--: from hw_grading.gradebook.granting import Grant, grant
--: from hw_grading.gradebook.handed_in import handed_in
--: from hw_grading.gradebook.model import Item, Mark
--: from hw_grading.gradebook.scores import open_gradebook
--:
--: DUE, LATE = datetime(2022, 10, 5), datetime(2022, 10, 6, 2)
--:
--:
--: def save(grader, student, *numbers, digest="d", **more):
--:     rubric = book.rubric("why")
--:     chosen = frozenset(rubric.items[number].id for number in numbers)
--:     versions = {student: book.grading("why", student).version}
--:     about = {"grader": grader, "rubric_revision": rubric.revision, "seconds": 2.0}
--:     book.save("why", versions, Mark(chosen, **more), digests={student: digest * 64}, **about)
--:
--:
--: course = make_course(Path(tempfile.mkdtemp()) / "course", ["ada", "ben", "cyd", "dan", "eve"])
--: with Gradebook(course.db_url) as gradebook:
--:     gradebook.find_assignment(ASSIGNMENT).duedate = DUE
--:     for student in gradebook.students:
--:         gradebook.find_submission(ASSIGNMENT, student.id).timestamp = LATE
--:     gradebook.db.commit()
--:     gradebook.grant_extension(ASSIGNMENT, "ben", hours=12)
--:     gradebook.grant_extension(ASSIGNMENT, "cyd", hours=48)
--: database = Database(course.db_url)
--: grants = [
--:     Grant("ada", seconds=86400.0, reason="ill"),
--:     Grant("cyd", seconds=3600.0, slip=2),
--:     Grant("dan", slip=1),
--:     Grant("eve", until=datetime(2022, 10, 6, 1)),
--:     Grant("fay", seconds=7200.0),
--: ]
--: grant(database, ASSIGNMENT, grants, "kim")
--: for kind, points in ((Kind.ADD, 1.0), (Kind.DROP, 0.0), (Kind.FULL, 0.0)):
--:     correct(database, ASSIGNMENT, "plot", kind, points, f"to {kind}", "kim")
--: undo(database, ASSIGNMENT, 2, "lee")
--:
--: book = GradeBook(course, ASSIGNMENT)
--: save("kim", "ada", 0, 1, done=True, comment="Nearly.")
--: save("lee", "ben", 0, done=True, adjustment=0.5, flagged=True, flag_note="ask")
--: rubric = book.rubric("why")
--: items = (replace(rubric.items[0], points=1.5), *rubric.items[2:], Item("", -0.5, "no units"))
--: book.change_rubric("why", replace(rubric, items=items), grader="lee")
--: save("kim", "cyd", 0, done=True)
--: save("kim", "cyd", 0, 3, done=True)
--: book.undo("why", grader="kim")
--: save("kim", "ada", 0, 1, done=True, comment="Better.")
--: grade_elsewhere(course, "dan", 3, comment="By hand.")
--: grade_again(course, "ben", "e" * 64)
--: grade_again(course, "dan", "d" * 64)
--: with Gradebook(course.db_url) as gradebook:  # "" is all that the student wrote
--:     remember(gradebook.db.connection(), ASSIGNMENT, "eve", {"why": "d" * 64, "": "7"})
--:     gradebook.db.commit()
--: save("kim", "dan", 0, done=True)
--: grade_elsewhere(course, "dan", 2.5, comment="By hand.")
--:
--: with open_gradebook(course.db_url, ASSIGNMENT) as (db, _):
--:     said = {
--:         "rubric": asdict(book.rubric("why")),
--:         "gradings": {name: asdict(one) for name, one in book.gradings("why").items()},
--:         "history": [asdict(event) for event in book.history("why")],
--:         "corrections": [asdict(one) for one in corrections_in(db, ASSIGNMENT, undone=True)],
--:         "due": {one.student: one.due for one in handed_in(db)},
--:     }
--: plain = lambda value: sorted(value) if isinstance(value, frozenset) else str(value)
--: Path(sys.argv[1]).write_text(json.dumps(said, default=plain, sort_keys=True, indent=1) + "\n")
--: print("\n".join(sqlite3.connect(course.folder / "gradebook.db").iterdump()))
BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO "alembic_version" VALUES('e43177bfe90b');
CREATE TABLE assignment (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	duedate DATETIME, 
	course_id VARCHAR(128) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	FOREIGN KEY(course_id) REFERENCES course (id)
);
INSERT INTO "assignment" VALUES('54645359192747feb582596af0b9f9b3','ps1','2022-10-05 00:00:00.000000','default_course');
CREATE TABLE base_cell (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	notebook_id VARCHAR(32) NOT NULL, 
	type VARCHAR(50), 
	PRIMARY KEY (id), 
	UNIQUE (name, notebook_id, type), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
INSERT INTO "base_cell" VALUES('cefc146e90164b7b83d1db15b8df6798','why','ca17cbe1888b477d94c484064ae5efb3','GradeCell');
INSERT INTO "base_cell" VALUES('bd6c0d110be04777a5721679f07971d8','why','ca17cbe1888b477d94c484064ae5efb3','SolutionCell');
INSERT INTO "base_cell" VALUES('4c487c58fc3249058fbbb478740c05ee','plot','ca17cbe1888b477d94c484064ae5efb3','GradeCell');
INSERT INTO "base_cell" VALUES('8c875d7c897447fb91aa8a3b45eea125','plot','ca17cbe1888b477d94c484064ae5efb3','SolutionCell');
CREATE TABLE comment (
	id VARCHAR(32) NOT NULL, 
	notebook_id VARCHAR(32), 
	cell_id VARCHAR(32), 
	auto_comment TEXT, 
	manual_comment TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id), 
	FOREIGN KEY(cell_id) REFERENCES base_cell (id)
);
INSERT INTO "comment" VALUES('aeeaf1ec948c4cb78782ed1e2ff7f528','700dd93b2732417d92a49b0afb5e1d14','bd6c0d110be04777a5721679f07971d8',NULL,'+1.5  names the definition, with both quantifiers.
+1  concludes.

Better.');
INSERT INTO "comment" VALUES('4751249624d04855a42c0b27751d77a4','700dd93b2732417d92a49b0afb5e1d14','8c875d7c897447fb91aa8a3b45eea125',NULL,NULL);
INSERT INTO "comment" VALUES('39120fb48cd24cd6a6c6b75591e40644','9847ad881b5c4e69b40dcd110e31bab6','bd6c0d110be04777a5721679f07971d8',NULL,'+1.5  names the definition, with both quantifiers.
+0.5  adjustment');
INSERT INTO "comment" VALUES('54c35a1811594805a5f88d3f76cc3215','9847ad881b5c4e69b40dcd110e31bab6','8c875d7c897447fb91aa8a3b45eea125',NULL,NULL);
INSERT INTO "comment" VALUES('33459a44cc354d92adbb3b3e25139c37','7b2a58abced14bc6b7815313744b50a2','bd6c0d110be04777a5721679f07971d8',NULL,'+1.5  names the definition, with both quantifiers.');
INSERT INTO "comment" VALUES('5da35bb9e4834536a45cb2104323e101','7b2a58abced14bc6b7815313744b50a2','8c875d7c897447fb91aa8a3b45eea125',NULL,NULL);
INSERT INTO "comment" VALUES('f8869a8283954e13bceeee47890c04dd','5a630fc0fc024a4281f38d593a42214a','bd6c0d110be04777a5721679f07971d8',NULL,'By hand.');
INSERT INTO "comment" VALUES('cf2f6fdc627549c4abb467fb04bb564b','5a630fc0fc024a4281f38d593a42214a','8c875d7c897447fb91aa8a3b45eea125',NULL,NULL);
INSERT INTO "comment" VALUES('a3ddb36adbea41cda21a40313792c1db','5f06d556398d4e2cb80d5b9a8c7669eb','bd6c0d110be04777a5721679f07971d8',NULL,NULL);
INSERT INTO "comment" VALUES('a91c876bf3664f678c4bc584e61418e7','5f06d556398d4e2cb80d5b9a8c7669eb','8c875d7c897447fb91aa8a3b45eea125',NULL,NULL);
CREATE TABLE course (
	id VARCHAR(128) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
INSERT INTO "course" VALUES('default_course');
CREATE TABLE desk_answer (
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	PRIMARY KEY (assignment, cell, student)
);
INSERT INTO "desk_answer" VALUES('ps1','why','ben','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
INSERT INTO "desk_answer" VALUES('ps1','why','dan','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd');
INSERT INTO "desk_answer" VALUES('ps1','why','eve','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd');
INSERT INTO "desk_answer" VALUES('ps1','','eve','7');
CREATE TABLE desk_applied (
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	item VARCHAR(32) NOT NULL, 
	PRIMARY KEY (assignment, cell, student, item)
);
INSERT INTO "desk_applied" VALUES('ps1','why','ben','f0441fa18d0d132300eca1f202fcdc70');
INSERT INTO "desk_applied" VALUES('ps1','why','cyd','f0441fa18d0d132300eca1f202fcdc70');
INSERT INTO "desk_applied" VALUES('ps1','why','ada','9983927e2d14bc8283c318d62e31d040');
INSERT INTO "desk_applied" VALUES('ps1','why','ada','f0441fa18d0d132300eca1f202fcdc70');
INSERT INTO "desk_applied" VALUES('ps1','why','dan','f0441fa18d0d132300eca1f202fcdc70');
CREATE TABLE desk_event (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	grader VARCHAR(128) NOT NULL, 
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	batch VARCHAR(32) NOT NULL, 
	undoes VARCHAR(32) NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "desk_event" VALUES(1,'2026-11-29 16:15:14.852033','kim','ps1','why','ada','save','571369ce903b4c9ca81ee66091d1f265','','{"score": null, "comment": "", "waits": true, "overridden": false, "mark": {"chosen": [], "adjustment": 0.0, "comment": "", "done": false, "flagged": false, "flag_note": ""}, "digest": ""}','{"mark": {"chosen": ["9fd040297c93c4475d7ed26e5856b132", "f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "Nearly.", "done": true, "flagged": false, "flag_note": ""}, "score": 3.0}');
INSERT INTO "desk_event" VALUES(2,'2026-11-29 16:15:15.160783','lee','ps1','why','ben','save','1853141c759b46a89a600ed5d2d7240d','','{"score": null, "comment": "", "waits": true, "overridden": false, "mark": {"chosen": [], "adjustment": 0.0, "comment": "", "done": false, "flagged": false, "flag_note": ""}, "digest": ""}','{"mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.5, "comment": "", "done": true, "flagged": true, "flag_note": "ask"}, "score": 2.5}');
INSERT INTO "desk_event" VALUES(3,'2026-11-29 16:15:15.228432','lee','ps1','why','','rubric','b43597bc35974b2fabc883ec0096dbc2','','{"rubric": {"items": [{"id": "f0441fa18d0d132300eca1f202fcdc70", "points": 2.0, "text": "names the definition, with both quantifiers.", "note": ""}, {"id": "9fd040297c93c4475d7ed26e5856b132", "points": 1.0, "text": "chooses a $\\delta$.", "note": ""}, {"id": "9983927e2d14bc8283c318d62e31d040", "points": 1.0, "text": "concludes.", "note": ""}, {"id": "17698e02e2bb7ab9f17a173f2b621bb9", "points": 0.0, "text": "No answer, or nothing of the above.", "note": ""}], "kind": "adding", "lower": 0.0, "upper": 4.0, "revision": 0}}','{"rubric": {"items": [{"id": "f0441fa18d0d132300eca1f202fcdc70", "points": 1.5, "text": "names the definition, with both quantifiers.", "note": ""}, {"id": "9983927e2d14bc8283c318d62e31d040", "points": 1.0, "text": "concludes.", "note": ""}, {"id": "17698e02e2bb7ab9f17a173f2b621bb9", "points": 0.0, "text": "No answer, or nothing of the above.", "note": ""}, {"id": "4980abd75bdb4268bbc0e8e83c7d5e04", "points": -0.5, "text": "no units", "note": ""}], "kind": "adding", "lower": 0.0, "upper": 4.0, "revision": 1}, "what": "added \u201cno units\u201d; deleted \u201cchooses a $\\delta$.\u201d; \u201cnames the definition, with both quantifiers.\u201d: +2 became +1.5 (scores changed: 2)"}');
INSERT INTO "desk_event" VALUES(4,'2026-11-29 16:15:15.233055','lee','ps1','why','ada','rescored','b43597bc35974b2fabc883ec0096dbc2','','{"score": 3.0}','{"score": 1.5}');
INSERT INTO "desk_event" VALUES(5,'2026-11-29 16:15:15.233460','lee','ps1','why','ben','rescored','b43597bc35974b2fabc883ec0096dbc2','','{"score": 2.5}','{"score": 2.0}');
INSERT INTO "desk_event" VALUES(6,'2026-11-29 16:15:15.303506','kim','ps1','why','cyd','save','c7b56d00ce1b4988a9d54df7218919f5','','{"score": null, "comment": "", "waits": true, "overridden": false, "mark": {"chosen": [], "adjustment": 0.0, "comment": "", "done": false, "flagged": false, "flag_note": ""}, "digest": ""}','{"mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "score": 1.5}');
INSERT INTO "desk_event" VALUES(7,'2026-11-29 16:15:15.379925','kim','ps1','why','cyd','save','4e8a48ad6e014a3bab12c9b5aef551f6','','{"score": 1.5, "comment": "+1.5  names the definition, with both quantifiers.", "waits": false, "overridden": false, "mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "digest": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}','{"mark": {"chosen": ["4980abd75bdb4268bbc0e8e83c7d5e04", "f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "score": 1.0}');
INSERT INTO "desk_event" VALUES(8,'2026-11-29 16:15:15.429661','kim','ps1','why','cyd','undo','eb7b75c158ee4dc5955670af28fdbb8a','4e8a48ad6e014a3bab12c9b5aef551f6','{"score": 1.0, "comment": "+1.5  names the definition, with both quantifiers.\n\u22120.5  no units", "waits": false, "overridden": false, "mark": {"chosen": ["4980abd75bdb4268bbc0e8e83c7d5e04", "f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "digest": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}','{"mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "score": 1.5}');
INSERT INTO "desk_event" VALUES(9,'2026-11-29 16:15:15.519277','kim','ps1','why','ada','save','fc2b4b17ceeb442ebd64b5859a2ac508','','{"score": 1.5, "comment": "+1.5  names the definition, with both quantifiers.\n\nNearly.", "waits": false, "overridden": false, "mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "Nearly.", "done": true, "flagged": false, "flag_note": ""}, "digest": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}','{"mark": {"chosen": ["9983927e2d14bc8283c318d62e31d040", "f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "Better.", "done": true, "flagged": false, "flag_note": ""}, "score": 2.5}');
INSERT INTO "desk_event" VALUES(10,'2026-11-29 16:15:15.752257','kim','ps1','why','dan','save','884540f35e574fcfa227ad9ca93d612b','','{"score": 3.0, "comment": "By hand.", "waits": true, "overridden": true, "mark": {"chosen": [], "adjustment": 0.0, "comment": "", "done": false, "flagged": false, "flag_note": ""}, "digest": ""}','{"mark": {"chosen": ["f0441fa18d0d132300eca1f202fcdc70"], "adjustment": 0.0, "comment": "", "done": true, "flagged": false, "flag_note": ""}, "score": 1.5}');
CREATE TABLE desk_grading (
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	revision INTEGER NOT NULL, 
	adjustment FLOAT NOT NULL, 
	comment TEXT NOT NULL, 
	done BOOLEAN NOT NULL, 
	flagged BOOLEAN NOT NULL, 
	flag_note TEXT NOT NULL, 
	score FLOAT, 
	given_comment TEXT, 
	digest VARCHAR(64) NOT NULL, 
	grader VARCHAR(128) NOT NULL, 
	at DATETIME NOT NULL, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (assignment, cell, student)
);
INSERT INTO "desk_grading" VALUES('ps1','why','ben',1,0.5,'',1,1,'ask',2.0,'+1.5  names the definition, with both quantifiers.
+0.5  adjustment','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','lee','2026-11-29 16:15:15.155584',2.0);
INSERT INTO "desk_grading" VALUES('ps1','why','cyd',3,0.0,'',1,0,'',1.5,'+1.5  names the definition, with both quantifiers.','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','kim','2026-11-29 16:15:15.424233',4.0);
INSERT INTO "desk_grading" VALUES('ps1','why','ada',2,0.0,'Better.',1,0,'',2.5,'+1.5  names the definition, with both quantifiers.
+1  concludes.

Better.','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','kim','2026-11-29 16:15:15.517871',4.0);
INSERT INTO "desk_grading" VALUES('ps1','why','dan',1,0.0,'',1,0,'',1.5,'+1.5  names the definition, with both quantifiers.','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','kim','2026-11-29 16:15:15.751266',2.0);
CREATE TABLE desk_item (
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	points FLOAT NOT NULL, 
	text TEXT NOT NULL, 
	note TEXT NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	revision INTEGER NOT NULL, 
	PRIMARY KEY (assignment, cell, id)
);
INSERT INTO "desk_item" VALUES('ps1','why','17698e02e2bb7ab9f17a173f2b621bb9',2,0.0,'No answer, or nothing of the above.','',0,1);
INSERT INTO "desk_item" VALUES('ps1','why','9983927e2d14bc8283c318d62e31d040',1,1.0,'concludes.','',0,1);
INSERT INTO "desk_item" VALUES('ps1','why','9fd040297c93c4475d7ed26e5856b132',1,1.0,'chooses a $\delta$.','',1,0);
INSERT INTO "desk_item" VALUES('ps1','why','f0441fa18d0d132300eca1f202fcdc70',0,1.5,'names the definition, with both quantifiers.','',0,1);
INSERT INTO "desk_item" VALUES('ps1','why','4980abd75bdb4268bbc0e8e83c7d5e04',3,-0.5,'no units','',0,1);
CREATE TABLE desk_rubric (
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	lower FLOAT NOT NULL, 
	upper FLOAT NOT NULL, 
	revision INTEGER NOT NULL, 
	grader VARCHAR(128) NOT NULL, 
	PRIMARY KEY (assignment, cell)
);
INSERT INTO "desk_rubric" VALUES('ps1','why','adding',0.0,9.0e+999,1,'lee');
CREATE TABLE grade (
	id VARCHAR(32) NOT NULL, 
	notebook_id VARCHAR(32), 
	cell_id VARCHAR(32), 
	auto_score FLOAT, 
	manual_score FLOAT, 
	extra_credit FLOAT, 
	needs_manual_grade BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id), 
	FOREIGN KEY(cell_id) REFERENCES base_cell (id)
);
INSERT INTO "grade" VALUES('15056ec2429646879b1313fd5c2cd017','700dd93b2732417d92a49b0afb5e1d14','cefc146e90164b7b83d1db15b8df6798',NULL,2.5,NULL,0);
INSERT INTO "grade" VALUES('e1150f530d6c4348af16a451a5d41b51','700dd93b2732417d92a49b0afb5e1d14','4c487c58fc3249058fbbb478740c05ee',NULL,NULL,NULL,1);
INSERT INTO "grade" VALUES('35c6bf9768c4442cad0fd49e13560558','9847ad881b5c4e69b40dcd110e31bab6','cefc146e90164b7b83d1db15b8df6798',NULL,2.0,NULL,1);
INSERT INTO "grade" VALUES('f2ec25a8b17d44b7a69b0e41a8baccb3','9847ad881b5c4e69b40dcd110e31bab6','4c487c58fc3249058fbbb478740c05ee',NULL,NULL,NULL,1);
INSERT INTO "grade" VALUES('fac1acd045814c8eb47b83594bdbc163','7b2a58abced14bc6b7815313744b50a2','cefc146e90164b7b83d1db15b8df6798',NULL,1.5,NULL,0);
INSERT INTO "grade" VALUES('e75a37eb480a4c2ea706955e851c8f74','7b2a58abced14bc6b7815313744b50a2','4c487c58fc3249058fbbb478740c05ee',NULL,NULL,NULL,1);
INSERT INTO "grade" VALUES('a3d9bbf3858b4acea0db2cd60f8a9605','5a630fc0fc024a4281f38d593a42214a','cefc146e90164b7b83d1db15b8df6798',NULL,2.5,NULL,0);
INSERT INTO "grade" VALUES('8158d0d06583400395a5c4f55b9b59ba','5a630fc0fc024a4281f38d593a42214a','4c487c58fc3249058fbbb478740c05ee',NULL,NULL,NULL,1);
INSERT INTO "grade" VALUES('373c4111eb694acd92b2e5eb67098cce','5f06d556398d4e2cb80d5b9a8c7669eb','cefc146e90164b7b83d1db15b8df6798',NULL,NULL,NULL,1);
INSERT INTO "grade" VALUES('8c00b970f3d74a36a90b72e859c0ae2d','5f06d556398d4e2cb80d5b9a8c7669eb','4c487c58fc3249058fbbb478740c05ee',NULL,NULL,NULL,1);
CREATE TABLE grade_cells (
	id VARCHAR(32) NOT NULL, 
	max_score FLOAT NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
INSERT INTO "grade_cells" VALUES('cefc146e90164b7b83d1db15b8df6798',4.0,'markdown');
INSERT INTO "grade_cells" VALUES('4c487c58fc3249058fbbb478740c05ee',2.0,'code');
CREATE TABLE hw_grading_correction (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	assignment VARCHAR(128) NOT NULL, 
	cell VARCHAR(128) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	points FLOAT NOT NULL, 
	reason TEXT NOT NULL, 
	author VARCHAR(128) NOT NULL, 
	at DATETIME NOT NULL, 
	undone_by VARCHAR(128), 
	undone_at DATETIME
);
INSERT INTO "hw_grading_correction" VALUES(1,'ps1','plot','add',1.0,'to add','kim','2026-11-29 16:15:14.000000',NULL,NULL);
INSERT INTO "hw_grading_correction" VALUES(2,'ps1','plot','drop',0.0,'to drop','kim','2026-11-29 16:15:14.000000','lee','2026-11-29 16:15:14.000000');
INSERT INTO "hw_grading_correction" VALUES(3,'ps1','plot','full',0.0,'to full','kim','2026-11-29 16:15:14.000000',NULL,NULL);
CREATE TABLE hw_grading_extension (
	assignment VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	until DATETIME, 
	seconds FLOAT, 
	slip INTEGER, 
	mirrored FLOAT, 
	theirs FLOAT, 
	reason TEXT NOT NULL, 
	author VARCHAR(128) NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (assignment, student)
);
INSERT INTO "hw_grading_extension" VALUES('ps1','ada',NULL,86400.0,NULL,86400.0,NULL,'ill','kim','2026-11-29 16:15:14.000000');
INSERT INTO "hw_grading_extension" VALUES('ps1','cyd',NULL,3600.0,2,NULL,NULL,'','kim','2026-11-29 16:15:14.000000');
INSERT INTO "hw_grading_extension" VALUES('ps1','dan',NULL,NULL,1,NULL,NULL,'','kim','2026-11-29 16:15:14.000000');
INSERT INTO "hw_grading_extension" VALUES('ps1','eve','2022-10-06 01:00:00.000000',NULL,NULL,90000.0,NULL,'','kim','2026-11-29 16:15:14.000000');
INSERT INTO "hw_grading_extension" VALUES('ps1','fay',NULL,7200.0,NULL,NULL,NULL,'','kim','2026-11-29 16:15:14.000000');
CREATE TABLE notebook (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	assignment_id VARCHAR(32), 
	kernelspec VARCHAR(1024), 
	PRIMARY KEY (id), 
	UNIQUE (name, assignment_id), 
	FOREIGN KEY(assignment_id) REFERENCES assignment (id)
);
INSERT INTO "notebook" VALUES('ca17cbe1888b477d94c484064ae5efb3','ps1','54645359192747feb582596af0b9f9b3',NULL);
CREATE TABLE solution_cells (
	id VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
INSERT INTO "solution_cells" VALUES('bd6c0d110be04777a5721679f07971d8');
INSERT INTO "solution_cells" VALUES('8c875d7c897447fb91aa8a3b45eea125');
CREATE TABLE source_cell (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	locked BOOLEAN NOT NULL, 
	source TEXT, 
	checksum VARCHAR(128), 
	notebook_id VARCHAR(32), 
	PRIMARY KEY (id), 
	UNIQUE (name, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
CREATE TABLE student (
	id VARCHAR(128) NOT NULL, 
	first_name VARCHAR(128), 
	last_name VARCHAR(128), 
	email VARCHAR(128), 
	lms_user_id VARCHAR(128), 
	PRIMARY KEY (id)
);
INSERT INTO "student" VALUES('ada',NULL,NULL,NULL,NULL);
INSERT INTO "student" VALUES('ben',NULL,NULL,NULL,NULL);
INSERT INTO "student" VALUES('cyd',NULL,NULL,NULL,NULL);
INSERT INTO "student" VALUES('dan',NULL,NULL,NULL,NULL);
INSERT INTO "student" VALUES('eve',NULL,NULL,NULL,NULL);
CREATE TABLE submitted_assignment (
	id VARCHAR(32) NOT NULL, 
	assignment_id VARCHAR(32), 
	student_id VARCHAR(128), 
	timestamp DATETIME, 
	extension DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (assignment_id, student_id), 
	FOREIGN KEY(assignment_id) REFERENCES assignment (id), 
	FOREIGN KEY(student_id) REFERENCES student (id)
);
INSERT INTO "submitted_assignment" VALUES('35ebed963993471a839f2549ebc45e12','54645359192747feb582596af0b9f9b3','ada','2022-10-06 02:00:00.000000','1970-01-02 00:00:00.000000');
INSERT INTO "submitted_assignment" VALUES('06341fba8ed94283be1774fc1d9f1535','54645359192747feb582596af0b9f9b3','ben','2022-10-06 02:00:00.000000','1970-01-01 12:00:00.000000');
INSERT INTO "submitted_assignment" VALUES('8de46e3466fb41189010eb9ff3a688a3','54645359192747feb582596af0b9f9b3','cyd','2022-10-06 02:00:00.000000','1970-01-03 00:00:00.000000');
INSERT INTO "submitted_assignment" VALUES('cbdd55cbf66e4ea889d8bef4f9d16094','54645359192747feb582596af0b9f9b3','dan','2022-10-06 02:00:00.000000',NULL);
INSERT INTO "submitted_assignment" VALUES('c27fde4579074e67bfc76fa0cb3f733a','54645359192747feb582596af0b9f9b3','eve','2022-10-06 02:00:00.000000','1970-01-02 01:00:00.000000');
CREATE TABLE submitted_notebook (
	id VARCHAR(32) NOT NULL, 
	assignment_id VARCHAR(32), 
	notebook_id VARCHAR(32), 
	flagged BOOLEAN, 
	late_submission_penalty FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (notebook_id, assignment_id), 
	FOREIGN KEY(assignment_id) REFERENCES submitted_assignment (id), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
INSERT INTO "submitted_notebook" VALUES('700dd93b2732417d92a49b0afb5e1d14','35ebed963993471a839f2549ebc45e12','ca17cbe1888b477d94c484064ae5efb3',0,NULL);
INSERT INTO "submitted_notebook" VALUES('9847ad881b5c4e69b40dcd110e31bab6','06341fba8ed94283be1774fc1d9f1535','ca17cbe1888b477d94c484064ae5efb3',0,NULL);
INSERT INTO "submitted_notebook" VALUES('7b2a58abced14bc6b7815313744b50a2','8de46e3466fb41189010eb9ff3a688a3','ca17cbe1888b477d94c484064ae5efb3',0,NULL);
INSERT INTO "submitted_notebook" VALUES('5a630fc0fc024a4281f38d593a42214a','cbdd55cbf66e4ea889d8bef4f9d16094','ca17cbe1888b477d94c484064ae5efb3',0,NULL);
INSERT INTO "submitted_notebook" VALUES('5f06d556398d4e2cb80d5b9a8c7669eb','c27fde4579074e67bfc76fa0cb3f733a','ca17cbe1888b477d94c484064ae5efb3',0,NULL);
CREATE TABLE task_cells (
	id VARCHAR(32) NOT NULL, 
	max_score FLOAT NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('hw_grading_correction',3);
COMMIT;
