// What Mantine needs to know of the look; the colours themselves stand in global.css, because the content security
// policy forbids the style elements with which Mantine would write them.
import { createTheme, type MantineThemeOverride } from '@mantine/core';

export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'teal',
  fontFamily: 'var(--mantine-font-family)',
  fontFamilyMonospace: 'var(--mantine-font-family-monospace)',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Scroll locking works through a style element, which the policy forbids.
    Modal: { defaultProps: { lockScroll: false, centered: true, closeButtonProps: { 'aria-label': 'Close' }, transitionProps: { duration: 120 } } },
    Button: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', checkIconPosition: 'right', allowDeselect: false } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 300 } },
  },
});
