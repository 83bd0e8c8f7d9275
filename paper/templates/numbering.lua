-- Numbers sections, figures, tables and equations, fills the links that name them, and makes figures and tables.
--
-- In the source:  ::: {.equation #eq-x}   a display formula, numbered
--                 ::: {.figure #fig-x}    a caption; the file is named by the attribute `name`
--                 ::: {.table #tab-x}     a caption and a list of lists, whose first row is the header; where it is
--                                         `.long` too, it stands where it is written and breaks over pages
--                 # Title {#sec-x .appendix}   a section of the appendix, which begins with the first of them
--                 [](#eq-x)               a link that gets its text here: (1), Figure 1, Table 1, Section 1, Appendix A

local text_of = {}
local counters = {section = 0, appendix = 0, subsection = 0, figure = 0, table = 0, equation = 0}
local typst, latex = FORMAT == "typst", FORMAT == "latex"

local function name_of(kind)
  return kind == "appendix" and string.char(64 + counters[kind]) or tostring(counters[kind])
end

local function count(kind, id, pattern)
  counters[kind] = counters[kind] + 1
  local number = name_of(kind)
  text_of["#" .. id] = pattern:format(number)
  return number
end

-- Typst and pandoc number sections of the text by themselves; those of the appendix have letters.
local function section(header)
  if header.classes:includes "unnumbered" or header.level > 2 then return end
  local opens = header.level == 1 and header.classes:includes "appendix"
  local kind = (opens or counters.appendix > 0) and "appendix" or "section"
  local word = kind == "appendix" and "Appendix %s" or "Section %s"
  local number
  if header.level == 1 then
    number, counters.subsection = count(kind, header.identifier, word), 0
  else
    counters.subsection = counters.subsection + 1
    number = ("%s.%d"):format(name_of(kind), counters.subsection)
    text_of["#" .. header.identifier] = word:format(number)
  end
  if kind == "section" then return end
  header.attributes.number = number
  if typst and opens and counters.appendix == 1 then
    return {pandoc.RawBlock("typst", '#counter(heading).update(0)\n#set heading(numbering: "A.1")'), header}
  end
  return header
end

-- Bars come in pairs: as plain symbols they would be set as relations, with space around them.
local function pair_bars(math)
  math.text = math.text:gsub("\\|(.-)\\|", "\\lVert %1\\rVert "):gsub("|(.-)|", "\\left|%1\\right|")
  return math
end

local function equation(div, number)
  local formula = div.content[1].content:find_if(function(part) return part.t == "Math" end)
  if typst then
    local written = pandoc.write(pandoc.Pandoc {pandoc.Para {formula}}, "typst")
    return pandoc.RawBlock("typst",
      ("#[#set math.equation(numbering: _ => [(%s)])\n%s <%s>]"):format(number, written:gsub("%s+$", ""), div.identifier))
  elseif latex then
    return pandoc.RawBlock("latex", ("\\begin{equation}%s\\tag{%s}\\end{equation}"):format(formula.text, number))
  end
  return pandoc.Div({pandoc.Div {pandoc.Plain {formula}}, pandoc.Plain {pandoc.Span("(" .. number .. ")")}}, div.attr)
end

local function numbered(kind, number, inlines)
  return pandoc.Inlines {pandoc.Strong(kind .. " " .. number .. "."), pandoc.Space()} .. inlines
end

local function floating(block, wide)
  if not typst then return block end
  local scope = wide and "parent" or "column"
  return {
    pandoc.RawBlock("typst", '#[#set figure(placement: auto, scope: "' .. scope .. '")'),
    block,
    pandoc.RawBlock("typst", "]"),
  }
end

local function figure(div, number)
  local name, wide = div.attributes.name, div.classes:includes("wide")
  local caption = numbered("Figure", number, div.content[1].content)
  local image = pandoc.Image({}, name .. ".pdf", "", {})
  if FORMAT:match "html" then
    local alt = div.attributes.alt:gsub("&", "&amp;"):gsub('"', "&quot;"):gsub("<", "&lt;")
    image = pandoc.RawInline("html", ('<img data-figure="%s" alt="%s" />'):format(name, alt))
  end
  local attributes = pandoc.Attr(div.identifier, wide and {"wide"} or {})
  return floating(pandoc.Figure({pandoc.Plain {image}}, {pandoc.Plain(caption)}, attributes), wide)
end

local function rows_of(list)
  return list:map(function(item)
    return item[1].content:map(function(cell) return cell end)
  end)
end

local function make_table(div, number)
  local widths, aligns = {}, {}
  for width in div.attributes.widths:gmatch("%d+") do
    widths[#widths + 1] = tonumber(width) / 100
    aligns[#aligns + 1] = pandoc.AlignLeft
  end
  local rows = rows_of(div.content[2].content)
  local header = rows:remove(1)
  local caption = numbered("Table", number, div.content[1].content)
  local made = pandoc.utils.from_simple_table(pandoc.SimpleTable(caption, aligns, widths, header, rows))
  made.attr = pandoc.Attr(div.identifier)
  if FORMAT:match "html" then return pandoc.Div({made}, {class = "scroll"}) end
  if div.classes:includes("long") then return made end
  return floating(made, true)
end

local function number_everything(document)
  return document:walk {
    traverse = "topdown",
    Header = section,
    Div = function(div)
      if div.classes:includes("equation") then
        return equation(div, count("equation", div.identifier, "(%s)")), false
      elseif div.classes:includes("figure") then
        return figure(div, count("figure", div.identifier, "Figure %s")), false
      elseif div.classes:includes("table") then
        return make_table(div, count("table", div.identifier, "Table %s")), false
      end
    end,
  }
end

local function fill_links(document)
  return document:walk {
    Link = function(link)
      if #link.content == 0 then
        link.content = pandoc.Inlines(text_of[link.target] or error("nothing is called " .. link.target))
        return link
      end
    end,
    Span = function(span)
      if span.classes:includes("source") and not FORMAT:match "html" then
        return pandoc.Code(span.attributes.path)
      end
    end,
  }
end

return {
  {Math = pair_bars},
  {Pandoc = function(document) return fill_links(number_everything(document)) end},
}
