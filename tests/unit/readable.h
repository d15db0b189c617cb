// Precompiled into every unit test. Makes doctest show texts where it would show their addresses;
// its own setting for that does not compile in 2.4.9.
#pragma once

#include <doctest/doctest.h>

template <>
struct doctest::StringMaker<const char*> {
  static doctest::String convert(const char* text) { return text == nullptr ? "null" : text; }
};
