// objects.text_type_us: CPU that libmagic takes for the type of a text, with the tests that it may pass, beside all
// tests. Gives up where the two differ in a word.
#pragma once

namespace redoubt::bench {

void measure_text_types();

}  // namespace redoubt::bench
