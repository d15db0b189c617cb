#include "core/array_text.h"

#include <string_view>

namespace repld {

void ArrayText::clear() { text_.clear(); }

void ArrayText::add(const char* text, uint32_t length) {
  text_ += text_.empty() ? '{' : ',';
  if (text == nullptr) {
    text_ += "NULL";
    return;
  }
  std::string_view rest(text, length);
  text_ += '"';
  for (size_t at = rest.find_first_of("\"\\"); at != std::string_view::npos;
       at = rest.find_first_of("\"\\")) {
    text_.append(rest.substr(0, at));
    text_ += '\\';
    text_ += rest[at];
    rest.remove_prefix(at + 1);
  }
  text_.append(rest);
  text_ += '"';
}

const char* ArrayText::finish() {
  if (text_.empty()) {
    text_ += '{';
  }
  text_ += '}';
  return text_.c_str();
}

std::string array_text(const std::vector<std::string>& elements) {
  ArrayText array;
  for (const std::string& element : elements) {
    array.add(element.data(), static_cast<uint32_t>(element.size()));
  }
  return array.finish();
}

}  // namespace repld
