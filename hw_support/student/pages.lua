-- What pandoc's typst lacks of a notebook's text: HTML as text, and the notebook's own pictures.

-- Tags that only style are left out; other HTML is shown as it is written.
local styles = {}
for name in ("details summary b i u em strong sub sup p div span center small hr a"):gmatch("%a+") do
  styles[name] = true
end

local function without_styles(html)
  return html:gsub("<!%-%-.-%-%->", ""):gsub("</?(%a+)([^<>]*)>", function(name, rest)
    local is_tag = rest:match("^%s*/?$") or rest:match("=%s*[\"']")  -- not as in "<b and c>"
    return styles[name:lower()] and is_tag and "" or nil
  end):match("^%s*(.-)%s*$")
end

function CodeBlock(code)
  return pandoc.RawBlock("typst", "#source(" .. pandoc.json.encode(code.text) .. ", none)")
end

function RawBlock(raw)
  local text = without_styles(raw.text)
  return text:find("<") and CodeBlock({text = text}) or pandoc.Para(text)
end

-- Within a line, a tag that is never closed may be an inequality, as in "a<b>c".
function Inlines(list)
  local closed = {}
  for _, inline in ipairs(list) do
    local name = inline.format == "html" and inline.text:match("^</(%a+)")
    if name then closed[name] = true end
  end
  return list:map(function(inline)
    if inline.format ~= "html" then return inline end
    local name = inline.text:match("^</?(%a+)") or ""
    if name:lower() == "br" then return pandoc.LineBreak() end
    local text = (closed[name] or name == "") and without_styles(inline.text) or inline.text
    return text == "" and pandoc.Str("") or pandoc.Code(text)
  end)
end

-- `pdf.py` has put the names of the pictures' files into the text.
function Image(image)
  if image.src:match("^picture%d+%.%a+$") then
    return pandoc.RawInline("typst", '#picture("' .. image.src .. '");')
  end
  local why = " is not in the notebook, or it is no whole PNG or JPEG.]"
  return pandoc.Emph("[The picture " .. image.src:sub(1, 50) .. why)
end

-- A link to a heading has no label to lead to.
function Link(link)
  local leads = link.target:match("^https?:") or link.target:match("^mailto:")
  return leads and link or link.content
end

-- Typst has renamed what stands in a circle, such as plus.circle.
function Math(math)
  local written = pandoc.write(pandoc.Pandoc({pandoc.Plain({math})}), "typst")
  return pandoc.RawInline("typst", (written:gsub("%s+$", ""):gsub("%.circle", ".o")))
end
