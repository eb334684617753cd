// Libmagic for texts. By itself it tries each of its thousands of tests on every content, most of which only look at
// the first bytes; here it gets those that the text in hand may pass at all, in their order, so that its word is the
// same. Opened before the jail shuts; one thread.
#pragma once

#include <magic.h>
#include <memory>
#include <string>
#include <string_view>

namespace redoubt::scan {

struct CloseMagic {
  void operator()(magic_set* magic) const { magic_close(magic); }
};
using MagicHandle = std::unique_ptr<magic_set, CloseMagic>;

class TextMagic {
 public:
  virtual ~TextMagic() = default;
  // A handle that is good for the text; null where only the whole database is.
  virtual magic_set* tests_for(std::string_view head) = 0;
};

// `open`: makes a handle without tests. Null where the database is not of the one form that is known here, or not
// alone.
std::unique_ptr<TextMagic> open_text_magic(MagicHandle (*open)());

}  // namespace redoubt::scan
