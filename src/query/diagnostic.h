// A mistake in something a person wrote: code, place, message, hint. Every front end reports with it, so that the CLI
// and the console show all of them alike.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::query {

struct Diagnostic {
  std::string code;   // "Q102"; each front end has its letter: Q hunting text, S Sigma, Y YARA
  size_t line = 1;    // from 1
  size_t column = 1;  // from 1, in code points
  size_t length = 1;  // code points under the caret line
  std::string message;
  std::string hint;  // may be empty

  // error Q102 at 1:17: field 'EventTyp' is not known
  //   EventTyp = "process"
  //   ^^^^^^^^ did you mean 'EventType'?
  std::string render(std::string_view source) const;
};

}  // namespace redoubt::query
