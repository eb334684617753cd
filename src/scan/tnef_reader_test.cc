#include "scan/worker/unpack/tnef_reader.h"

#include <gtest/gtest.h>

#include "scan/test_tnef.h"

namespace redoubt::scan {
namespace {

std::string attachment_object(const std::string& content) {
  constexpr uint32_t kObjectOfAttachment = 0x3701'000d, kLongNameOfAttachment = 0x3707'001e;
  return little_endian(2, 4) + little_endian(kLongNameOfAttachment, 4) + little_endian(1, 4) + little_endian(9, 4) +
         "long.docx" + std::string(3, '\0') + little_endian(kObjectOfAttachment, 4) + little_endian(1, 4) +
         little_endian(16 + content.size(), 4) + std::string(16, 'i') + content +
         std::string((4 - content.size() % 4) % 4, '\0');
}

TEST(TnefReader, gives_attachments_with_their_names_and_the_text) {
  const std::string stream = tnef_of({{"a.zip", "first"}, {"b.txt", "second"}}, "the password is Sesame1");
  const Tnef tnef = read_tnef(stream);
  ASSERT_EQ(tnef.items.size(), 3U);
  EXPECT_EQ(tnef.items[0].kind, TnefItem::Kind::body);
  EXPECT_EQ(tnef.items[0].content, "the password is Sesame1");
  EXPECT_EQ(tnef.items[1].name, "a.zip");
  EXPECT_EQ(tnef.items[1].content, "first");
  EXPECT_EQ(tnef.items[2].name, "b.txt");
  EXPECT_EQ(tnef.items[2].content, "second");
  EXPECT_EQ(tnef.problem, "");
}

TEST(TnefReader, gives_objects_that_lie_in_properties) {
  const std::string stream = tnef_start() + tnef_attribute(kTnefStartsAttachment, std::string(14, '\0')) +
                             tnef_attribute(kTnefAttachmentProperties, attachment_object("embedded"));
  const Tnef tnef = read_tnef(stream);
  ASSERT_EQ(tnef.items.size(), 1U);
  EXPECT_EQ(tnef.items[0].name, "long.docx");
  EXPECT_EQ(tnef.items[0].content, "embedded");
  EXPECT_EQ(tnef.problem, "");
}

TEST(TnefReader, what_is_cut_or_damaged_is_told_and_the_rest_kept) {
  const std::string stream = tnef_of({{"a.zip", "first"}, {"b.txt", "second"}}, "");
  const Tnef cut = read_tnef(std::string_view(stream).substr(0, stream.size() - 4));
  ASSERT_GE(cut.items.size(), 1U);
  EXPECT_EQ(cut.items[0].content, "first");
  EXPECT_EQ(cut.problem, "tnef: it is cut");
  const std::string properties = little_endian(1'000'000, 4) + "none of them";
  EXPECT_EQ(read_tnef(tnef_start() + tnef_attribute(kTnefAttachmentProperties, properties)).problem,
            "tnef: properties of an attachment are damaged");
}

}  // namespace
}  // namespace redoubt::scan
