#include "central/api/multipart.h"

#include <gtest/gtest.h>

namespace redoubt::central {
namespace {

// What a form said, as text: "scanId='7' content(a.txt)='hello' ".
class Transcript final : public PartSink {
 public:
  Status begin_part(const PartHead& head) override {
    text += head.name + (head.file_name ? "(" + *head.file_name + ")" : "") + "='";
    return {};
  }
  Status part_bytes(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Status end_part() override {
    text += "' ";
    return {};
  }
  std::string text;
};

// The transcript, or the error, of a form that comes in pieces of at most `piece` bytes.
std::string read_form(std::string_view body, size_t piece, const std::string& boundary = "b") {
  Transcript transcript;
  MultipartReader reader(boundary, transcript);
  for (size_t at = 0; at < body.size(); at += piece) {
    if (const Status taken = reader.write(body.substr(at, piece)); !taken) return taken.error().message;
  }
  const Status whole = reader.finish();
  return whole ? transcript.text : whole.error().message;
}

std::string part(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

const std::string kForm = part("name=\"scanId\"", "7") +
                          part("name=\"content\"; filename=\"a.txt\"", "he\r\n--\r\n--c\r\nllo") +
                          part("name=\"empty\"", "") + "--b--\r\n";

TEST(MultipartReader, is_the_same_whichever_pieces_come) {
  const std::string expected = "scanId='7' content(a.txt)='he\r\n--\r\n--c\r\nllo' empty='' ";
  for (size_t piece = 1; piece <= kForm.size(); ++piece) EXPECT_EQ(read_form(kForm, piece), expected) << piece;
  for (size_t cut = 0; cut <= kForm.size(); ++cut) {
    Transcript transcript;
    MultipartReader reader("b", transcript);
    ASSERT_TRUE(reader.write(std::string_view(kForm).substr(0, cut))) << cut;
    ASSERT_TRUE(reader.write(std::string_view(kForm).substr(cut))) << cut;
    EXPECT_TRUE(reader.finish()) << cut;
    EXPECT_EQ(transcript.text, expected) << cut;
  }
}

TEST(MultipartReader, a_form_that_is_cut_off_is_none) {
  const size_t last = kForm.size() - 2;  // the line end behind the last delimiter may be missing
  for (size_t size = 0; size < last; ++size) {
    EXPECT_NE(read_form(kForm.substr(0, size), 1000).find("form: "), std::string::npos) << size;
  }
  EXPECT_EQ(read_form(kForm.substr(0, last), 1000).find("form: "), std::string::npos);
}

TEST(MultipartReader, what_stands_before_and_behind_is_left_out) {
  EXPECT_EQ(read_form("preamble\r\n" + kForm + "epilogue --b", 3), read_form(kForm, 1000));
  EXPECT_EQ(read_form("--b  \t\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--", 1), "x='1' ");
}

TEST(MultipartReader, contents_may_look_like_delimiters) {
  const std::string content = "\r\n-\r\n--\r\n\r\n--a\r\n--\r\n-b\r\r\n";
  EXPECT_EQ(read_form(part("name=x", content) + "--b--", 1), "x='" + content + "' ");
}

TEST(MultipartReader, limits_hold) {
  std::string many;
  for (size_t i = 0; i <= kPartsMax; ++i) many += part("name=x", "");
  EXPECT_NE(read_form(many + "--b--", 100).find("more than 32 parts"), std::string::npos);
  EXPECT_NE(read_form(part("name=\"" + std::string(kPartHeadBytesMax, 'x') + "\"", ""), 100).find("8 KiB"),
            std::string::npos);
  EXPECT_NE(read_form(std::string(size_t{1} << 20, 'x'), 1000).find("does not appear"), std::string::npos);
  EXPECT_NE(read_form("--b" + std::string(1000, ' '), 10).find("does not end"), std::string::npos);
  EXPECT_NE(read_form("--bx\r\n", 10).find("goes on"), std::string::npos);
}

TEST(MultipartReader, an_error_of_the_sink_ends_it) {
  class Full final : public PartSink {
    Status begin_part(const PartHead&) override { return {}; }
    Status part_bytes(std::string_view) override { return fail(Errc::too_large, "full"); }
    Status end_part() override { return {}; }
  } full;
  MultipartReader reader("b", full);
  EXPECT_EQ(reader.write(kForm).error().message, "full");
}

TEST(PartHead, names_in_every_writing) {
  const auto head_of = [](const std::string& disposition) {
    return parse_part_head("content-type: text/plain\r\nCONTENT-disposition:form-data;" + disposition).value();
  };
  EXPECT_EQ(head_of("name=scanId").name, "scanId");
  EXPECT_FALSE(head_of("name=scanId").file_name);
  EXPECT_EQ(head_of(R"( filename="a\"b\\c;d" ; name="content")").file_name, "a\"b\\c;d");
  EXPECT_EQ(head_of(R"(name="content"; filename="C:\new\x")").file_name, "C:\\new\\x");
  EXPECT_EQ(head_of("name=c; filename=plain; filename*=UTF-8''a%20%e2%82%ac%").file_name, "a €%");
  EXPECT_EQ(head_of("name=c; filename=\"\"").file_name, "");
}

TEST(PartHead, what_is_none_is_refused) {
  for (const char* bad :
       {"", "Content-Type: text/plain", "Content-Disposition: form-data", "Content-Disposition: file; name=x",
        "Content-Disposition: form-data; name=\"x", "Content-Disposition: form-data; name",
        "Content-Disposition: form-data; name=x\r\nContent-Transfer-Encoding: base64"}) {
    EXPECT_FALSE(parse_part_head(bad)) << bad;
  }
}

TEST(FormBoundary, is_read_from_the_content_type) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=----x1").value(), "----x1");
  EXPECT_EQ(form_boundary("Multipart/Form-Data;charset=utf-8;Boundary=\"a b\"").value(), "a b");
  for (const std::string& bad :
       {std::string(), std::string("application/json"), std::string("multipart/form-data"),
        std::string("multipart/form-data; boundary="), "multipart/form-data; boundary=" + std::string(71, 'x'),
        std::string("multipart/form-data; boundary=\"x\ny\""), std::string("multipart/mixed; boundary=x")}) {
    EXPECT_FALSE(form_boundary(bad)) << bad;
  }
}

}  // namespace
}  // namespace redoubt::central
