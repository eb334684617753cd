// A check of what an event says about a file in words of its own: flags, modes, kinds. test_lowering.cc chooses. Any
// thread.
#pragma once

#include <string>
#include <vector>

#include "event/batch.h"
#include "rules/falco/field_source.h"
#include "rules/falco/test_lowering.h"
#include "rules/falco/text_lowering.h"

namespace redoubt::rules::falco {

// True if any of the values fits, in the sense of `op`. The shape is one of prefix_flag to file_kind.
Judgement lower_file(const FieldSource& source, CheckOperator op, const Values& values);
// The same value as Falco prints it; `held` is the field's text, "" where it is absent.
std::string file_text(const FieldSource& source, std::string_view held);

}  // namespace redoubt::rules::falco
