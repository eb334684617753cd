#include "scan/worker/file_type.h"

#include <gtest/gtest.h>

namespace redoubt::scan {
namespace {

class FileTypesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto types = open_file_types();
    ASSERT_TRUE(types) << types.error().message;
    types_ = *std::move(types);
  }
  std::string of(const std::string& content) { return types_->mime_type(content); }

  const std::string prose_ = [] {
    std::string text;
    while (text.size() < 700) text += "Nothing is said here that a program would read.\n";
    return text;
  }();
  std::unique_ptr<FileTypes> types_;
};

TEST_F(FileTypesTest, prose_is_plain_whatever_its_length) {
  EXPECT_EQ(of("a short note\n"), "text/plain");
  EXPECT_EQ(of(prose_), "text/plain");
  EXPECT_EQ(of(prose_ + prose_ + prose_ + prose_), "text/plain");
}

TEST_F(FileTypesTest, first_lines_tell) {
  EXPECT_EQ(of("#!/bin/sh\n" + prose_), "text/x-shellscript");
  EXPECT_EQ(of("{\\rtf1 " + prose_), "text/rtf");
  EXPECT_EQ(of("%PDF-1.7\n" + prose_), "application/pdf");
  EXPECT_EQ(of("Received: from a by b\nSubject: c\n\n" + prose_), "message/rfc822");
}

TEST_F(FileTypesTest, markup_is_found_behind_a_preamble) {
  EXPECT_EQ(of("<!-- " + prose_ + " -->\n<html><head><title>t</title></head>"), "text/html");
  EXPECT_EQ(of(prose_ + "<html><head><title>t</title></head>"), "text/html");
}

TEST_F(FileTypesTest, json_is_read_to_its_end) {
  std::string text = "[\"start\"";
  while (text.size() < 1500) text += ", \"and another text\"";
  EXPECT_EQ(of(" \n" + text + "]"), "application/json");
}

TEST_F(FileTypesTest, binary_formats_need_more_than_the_start) {
  std::string archive(1024, '\0');
  archive.replace(257, 8, std::string("ustar\000000", 8));
  EXPECT_NE(of(archive), "text/plain");
  EXPECT_EQ(of(std::string("PK\3\4\24\0\0\0\10\0", 10) + std::string(40, '\0')), "application/zip");
}

}  // namespace
}  // namespace redoubt::scan
