/* Which drivers there are: all of them in the DLL, the camera also in a process of its own. */
#include "driver.h"

extern const Class CAMERA, FOCUSER, FILTER_WHEEL, TELESCOPE, CHOOSER;

#ifdef BUILD_EXE
const Class *const CLASSES[] = {&CAMERA};
#else
const Class *const CLASSES[] = {&CAMERA, &FOCUSER, &FILTER_WHEEL, &TELESCOPE, &CHOOSER};
#endif
const int CLASS_COUNT = COUNT(CLASSES);
