package layers

import "github.com/gradbook/gradbook/dl/internal/config"

// Register makes a layer of your own known by the name of its type, so that models
// with it can be saved and loaded. Its exported fields are what is saved.
//
//	layers.Register(Scale{})
//
// The same is done for other types that models hold: initializers, regularizers,
// losses.
func Register(values ...any) { config.Register(values...) }

func init() {
	config.Register(
		Dense{}, Conv1D{}, Conv2D{}, Conv3D{}, Conv1DTranspose{}, Conv2DTranspose{},
		DepthwiseConv2D{}, SeparableConv1D{}, SeparableConv2D{},
		MaxPooling1D{}, MaxPooling2D{}, MaxPooling3D{}, AveragePooling1D{}, AveragePooling2D{}, AveragePooling3D{},
		GlobalMaxPooling1D{}, GlobalMaxPooling2D{}, GlobalMaxPooling3D{},
		GlobalAveragePooling1D{}, GlobalAveragePooling2D{}, GlobalAveragePooling3D{},
		UpSampling1D{}, UpSampling2D{}, UpSampling3D{}, Resizing{}, CenterCrop{},
		ZeroPadding1D{}, ZeroPadding2D{}, ZeroPadding3D{}, Cropping1D{}, Cropping2D{}, Cropping3D{},
		Flatten{}, Reshape{}, Permute{}, RepeatVector{}, Embedding{}, Masking{},
		TimeDistributed{}, Bidirectional{}, MultiHeadAttention{},
		BatchNormalization{}, LayerNormalization{}, RMSNormalization{}, GroupNormalization{}, UnitNormalization{},
		Dropout{}, SpatialDropout1D{}, SpatialDropout2D{}, SpatialDropout3D{}, GaussianNoise{}, GaussianDropout{}, AlphaDropout{},
		Add{}, Subtract{}, Multiply{}, Average{}, Maximum{}, Minimum{}, Concatenate{}, Dot{},
		Activation{}, ReLU{}, LeakyReLU{}, ELU{}, PReLU{}, Softmax{}, ActivityRegularization{},
		Rescaling{}, Normalization{}, CategoryEncoding{}, Discretization{},
		SimpleRNN{}, LSTM{}, GRU{},
		RandomFlip{}, RandomRotation{}, RandomTranslation{}, RandomZoom{}, RandomContrast{}, RandomBrightness{},
	)
}
