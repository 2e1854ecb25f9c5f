"""The style of the pages: the first lines of the typst file.

The fonts come with typst, so the pages look the same everywhere. Code and drawings in the text are
set in DejaVu Sans Mono, because its box-drawing characters have the same width.
"""

STYLE = r"""
#let grey = luma(110)

#let paper(title: "", author: "", body) = {
  set document(title: title, author: if author == "" { () } else { (author,) }, date: none)
  set page(
    paper: "us-letter",
    margin: (x: 63pt, top: 66pt, bottom: 60pt),
    header: context text(8.5pt, fill: grey, {
      if author != "" { author } else { "no name" }
      h(1fr)
      title
    }),
    footer: context align(center, text(8.5pt, fill: grey,
      [#counter(page).display() / #counter(page).final().first()])),
  )
  set text(font: "Libertinus Serif", size: 10.5pt, lang: "en", hyphenate: false)
  set par(justify: false, leading: 0.62em, spacing: 0.95em)
  show raw: set text(font: "DejaVu Sans Mono", size: 1.05em)
  show math.equation: set text(font: "New Computer Modern Math")
  show heading: set block(above: 1.3em, below: 0.75em, sticky: true)
  show heading: it => {
    set text((17pt, 14.5pt, 12.5pt, 11pt).at(it.level - 1, default: 10.5pt))
    it
  }
  show link: set text(fill: rgb("#1a4f8a"))
  set list(spacing: 0.7em)
  set enum(spacing: 0.7em)
  // Pandoc's tables, which may be long; those of many columns are smaller.
  show figure.where(kind: table): set block(breakable: true)
  set table(stroke: 0.4pt + luma(170), inset: (x: 5pt, y: 4pt),
    fill: (_, row) => if row == 0 { luma(240) })
  show table.cell.where(y: 0): strong
  show table: it => {
    set text(1em * calc.clamp(6 / it.columns.len(), 0.55, 1))
    set par(spacing: 0.5em)
    it
  }
  body
}

#let horizontalrule = line(length: 100%, stroke: 0.5pt + luma(170))

// Lines that wrap go on a little to the right of where they began.
#let lines(size, language, body) = {
  show raw.where(block: true): it => {
    set par(leading: 0.42em, spacing: 0.42em, justify: false, linebreaks: "simple")
    for line in it.lines {
      let indent = line.text.len() - line.text.trim(at: start).len()
      if line.text.trim() == "" { par("\u{a0}") } else {
        par(hanging-indent: calc.min(indent + 4, 40) * 0.6em, line.body)
      }
    }
  }
  set text(size)
  show raw: set text(size: 1em / 0.8 / 1.05)
  raw(body, block: true, lang: language)
}

#let marked(body, sticky: false) = block(
  sticky: sticky, width: 100%, inset: (left: 8pt), stroke: (left: 2pt + rgb("#2f6db5")), body)

// A short cell and its outputs stay on one page.
#let code(kind, language, body, shows: false) = {
  let short = body.split("\n").len() <= if kind == "test" { 45 } else { 20 }
  let boxed = block(
    breakable: not short, sticky: short and shows,
    width: 100%, fill: luma(246), inset: 6pt, radius: 2pt, above: 0.8em, below: 0.8em,
    lines(if kind == "test" { 6.3pt } else { 8.3pt }, language, body))
  if kind == "answer" { marked(boxed, sticky: short and shows) } else { boxed }
}

#let source(body, lang: none) = block(
  width: 100%, inset: (left: 8pt), lines(8.3pt, lang, body))

#let printed(body, error: false) = block(
  width: 100%, inset: (left: 5pt, y: 2pt), above: 0.5em, below: 0.5em,
  stroke: (left: 1.2pt + if error { rgb("#b3412f") } else { luma(190) }),
  lines(1em, none, body))

#let note(body) = text(0.9em, fill: grey, style: "italic", block(body))

#let outputs(body, small: false, short: false) = block(
  breakable: not short, width: 100%, inset: (left: 8pt), above: 0.5em, below: 1em,
  { set text(if small { 6.8pt } else { 8.3pt }); body })

#let fitted(picture, pixels: 0) = layout(size => {
  let natural = measure(picture)
  // matplotlib draws 100 pixels to the inch
  let width = if pixels > 0 { pixels * 0.72pt } else { natural.width }
  let down = width * (natural.height / natural.width)
  set image(width: width * calc.min(1, calc.min(size.width, 470pt) / width, 420pt / down))
  picture
})

// A formula wider than the page is made smaller, and shown as TeX when that would be too small.
#let formula(body, tex: none, number: none) = if tex == none { math.equation(body) } else {
  layout(size => {
    let shown = math.equation(block: true, body)
    let ratio = size.width / calc.max(measure(shown).width.pt(), 1) / 1pt
    let fitting = if ratio >= 1 { shown } else if ratio < 0.5 { source(tex) } else {
      align(center, scale(ratio * 100%, reflow: true, shown))
    }
    if number == none { fitting } else {
      grid(columns: (1fr, auto), align: horizon, fitting, number)
    }
  })
}
"""
