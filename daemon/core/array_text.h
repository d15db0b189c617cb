// One-dimensional arrays in PostgreSQL's text form, as a parameter's value.
//
// Source: PostgreSQL, "Array Input and Output Syntax". Every element but NULL is quoted, so what
// it holds does not matter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace repld {

class ArrayText {
 public:
  // Forgets the elements, keeps the memory.
  void clear();
  // `text` null: NULL.
  void add(const char* text, uint32_t length);
  // Complete and zero-terminated until the next call of another function.
  const char* finish();
  size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

std::string array_text(const std::vector<std::string>& elements);

}  // namespace repld
