#include "core/schema_essence.h"

namespace repld::schema {

namespace {

// Brackets that stay are written so, to tell them from those still to be looked at.
constexpr char kOpen = '\x01';
constexpr char kClose = '\x02';

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string without(std::string text, std::string_view part) {
  const size_t at = text.find(part);
  return at == std::string::npos ? text : text.erase(at, part.size());
}

// First position behind the quoted text that starts at `at`.
size_t behind_quoted(std::string_view text, size_t at) {
  const size_t end = text.find(text[at], at + 1);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// First position behind the name of a type.
size_t behind_type(std::string_view text, size_t at) {
  while (at < text.size() && (is_name_character(text[at]) || text[at] == '.' || text[at] == '"')) {
    at = text[at] == '"' ? behind_quoted(text, at) : at + 1;
  }
  const auto skip_modifier = [&] {
    if (at < text.size() && text[at] == '(') {
      const size_t close = text.find(')', at);
      at = close == std::string_view::npos ? text.size() : close + 1;
    }
  };
  skip_modifier();  // timestamp(3) without time zone
  for (const std::string_view more :
       {" varying", " precision", " without time zone", " with time zone"}) {
    if (text.substr(at, more.size()) == more) {
      at += more.size();
    }
  }
  skip_modifier();
  while (text.substr(at, 2) == "[]") {
    at += 2;
  }
  return at;
}

std::string without_casts(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\'' || text[at] == '"') {
      const size_t end = behind_quoted(text, at);
      out += text.substr(at, end - at);
      at = end;
    } else if (text.substr(at, 2) == "::") {
      at = behind_type(text, at + 2);
    } else {
      out += text[at++];
    }
  }
  return out;
}

// Whether text between brackets is one operand: no blank outside quotes and inner brackets.
bool is_operand(std::string_view text) {
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      at = behind_quoted(text, at) - 1;
    } else if (c == '[' || c == kOpen) {
      ++depth;
    } else if (c == ']' || c == kClose) {
      --depth;
    } else if (c == ' ' && depth == 0) {
      return false;
    }
  }
  return true;
}

// The innermost pair of brackets; false when there is none left.
bool find_innermost(std::string_view text, size_t& open, size_t& close) {
  open = std::string_view::npos;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      at = behind_quoted(text, at) - 1;
    } else if (c == '(') {
      open = at;
    } else if (c == ')' && open != std::string_view::npos) {
      close = at;
      return true;
    }
  }
  return false;
}

}  // namespace

std::string essence_of(std::string_view expression) {
  std::string text = without_casts(expression);
  size_t open = 0;
  size_t close = 0;
  while (find_innermost(text, open, close)) {
    const bool call = open > 0 && is_name_character(text[open - 1]);
    const std::string inner = text.substr(open + 1, close - open - 1);
    const bool doubled = inner.size() > 1 && inner.front() == kOpen && inner.back() == kClose;
    if (!call && (is_operand(inner) || doubled)) {
      text.erase(close, 1);
      text.erase(open, 1);
    } else {
      text[open] = kOpen;
      text[close] = kClose;
    }
  }
  return text;
}

std::string essence_of(const Constraint& constraint) {
  return essence_of(without(without(constraint.definition, " NOT ENFORCED"), " NOT VALID"));
}

std::string essence_of(const Index& index) {
  const std::string text = without(index.definition, " ONLY");
  // "CREATE UNIQUE INDEX name ON ..": a name may contain anything, but it is known.
  const size_t name = text.find(index.name);
  const size_t on = name == std::string::npos ? name : text.find(" ON ", name + index.name.size());
  return (index.unique ? "unique" : "") +
         essence_of(on == std::string::npos ? text : text.substr(on));
}

}  // namespace repld::schema
