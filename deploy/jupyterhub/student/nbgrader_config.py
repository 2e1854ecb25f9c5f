"""What nbgrader has to know in a student's server: which course, and where its exchange is."""

c = get_config()

c.CourseDirectory.course_id = "intro-ml"
c.Exchange.root = "/srv/intro-ml/exchange"
c.Exchange.timezone = "America/Los_Angeles"
